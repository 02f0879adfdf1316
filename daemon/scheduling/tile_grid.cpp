#include "daemon/scheduling/tile_grid.hpp"

#include <algorithm>

namespace slab::daemon {
namespace {

std::int64_t divide_up(std::int64_t value, std::int64_t by) {
    return (value + by - 1) / by;
}

// Grows axes from the fastest to the slowest within a budget of elements.
std::array<std::int64_t, max_rank> tile_extents(const Box& domain, const kernels::TilePreference& preference,
                                                std::int64_t budget) {
    const auto rank = static_cast<std::size_t>(domain.rank);
    std::array<std::int64_t, max_rank> tile{1, 1, 1, 1, 1};
    std::int64_t elements = 1;
    for (std::size_t axis = rank; axis-- > 0;) {
        const std::int64_t extent = domain.extent(static_cast<int>(axis));
        // A tiny budget shrinks the brick too: tiles of one element are legal.
        const std::int64_t wanted = std::min(preference.brick[axis], budget / elements);
        const std::int64_t least = preference.is_whole[axis] ? extent : preference.least[axis];
        tile[axis] = std::clamp<std::int64_t>(std::max(wanted, least), 1, extent);
        elements *= tile[axis];
    }
    for (std::size_t axis = rank; axis-- > 0;) {
        const std::int64_t extent = domain.extent(static_cast<int>(axis));
        const std::int64_t most = std::min(extent, std::max(preference.most[axis], tile[axis]));
        const std::int64_t others = elements / tile[axis];
        std::int64_t grown = std::clamp(budget / others, tile[axis], most);
        if (grown < extent) {
            grown = std::max(tile[axis], grown / tile[axis] * tile[axis]);  // whole bricks
        }
        elements = others * grown;
        tile[axis] = grown;
    }
    return tile;
}

}  // namespace

std::int64_t TileGrid::tile_count() const {
    std::int64_t count = 1;
    for (const std::int64_t along : counts) {
        count *= along;
    }
    return count;
}

Box TileGrid::tile_box(std::int64_t number) const {
    Box box{domain.rank, {}, {}};
    for (auto axis = static_cast<std::size_t>(domain.rank); axis-- > 0;) {
        const std::int64_t along = number % counts[axis];
        number /= counts[axis];
        box.begin[axis] = domain.begin[axis] + along * tile[axis];
        box.end[axis] = std::min(domain.end[axis], box.begin[axis] + tile[axis]);
    }
    return box;
}

TileGrid cut_into_tiles(const Box& domain, std::int64_t element_bytes, const kernels::TilePreference& wanted,
                        std::int64_t tile_bytes) {
    kernels::TilePreference preference = wanted;
    TileGrid grid;
    grid.domain = domain;
    std::int64_t budget = std::max<std::int64_t>(1, tile_bytes / element_bytes);
    for (;; budget *= 2) {
        grid.tile = tile_extents(domain, preference, budget);
        for (std::size_t axis = 0; axis < static_cast<std::size_t>(domain.rank); ++axis) {
            grid.counts[axis] = divide_up(domain.extent(static_cast<int>(axis)), grid.tile[axis]);
        }
        // Each factor is below 2^63 and the product may not be: compare in a wider type.
        __extension__ __int128 count = 1;
        for (const std::int64_t along : grid.counts) {
            count *= along;
            if (count > most_tiles) {
                break;
            }
        }
        if (count <= most_tiles) {
            return grid;
        }
        if (budget > element_count(domain)) {
            preference.most =
                kernels::TilePreference{}.most;  // the kernel's limits alone would make too many
        }
    }
}

}  // namespace slab::daemon
