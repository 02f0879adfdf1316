#pragma once

#include "common/array/box.hpp"
#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>

namespace slab::daemon {

// Cuts a box into non-overlapping tiles that cover it exactly once. Pure arithmetic: a tile is a number, its box is
// computed where it is needed, the same in every process. Trivially copyable: it travels to the workers.
struct TileGrid {
    Box domain;
    std::array<std::int64_t, max_rank> tile{1, 1, 1, 1,
                                            1};  // extents of a full tile; border tiles are smaller
    std::array<std::int64_t, max_rank> counts{1, 1, 1, 1, 1};  // tiles along each axis

    std::int64_t tile_count() const;

    // Tiles in C order: consecutive numbers are neighbours along the fastest axis.
    Box tile_box(std::int64_t number) const;
};

// Starts from the kernel's brick and grows the fastest axis, then the next slower, until a tile has about
// `tile_bytes`. Never more than most_tiles tiles: the ledger keeps a byte for each.
inline constexpr std::int64_t most_tiles = std::int64_t{1} << 20;
TileGrid cut_into_tiles(const Box& domain, std::int64_t element_bytes, const kernels::TilePreference& wanted,
                        std::int64_t tile_bytes);

}  // namespace slab::daemon
