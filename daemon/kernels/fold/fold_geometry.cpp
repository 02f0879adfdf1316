#include "daemon/kernels/fold/fold_geometry.hpp"

#include <algorithm>

namespace slab::kernels::fold {
namespace {

// Values of a tile: a few hundred microseconds of reading.
constexpr std::int64_t tile_values = std::int64_t{1} << 18;
constexpr std::int64_t group_values = std::int64_t{1} << 17;

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit;
}

// In C order of the reduced axes as the user has them; those that are kept do not count.
std::array<std::int64_t, max_rank> user_strides(const Shape& shape, std::span<const bool> reduced,
                                                AxisOrder order) {
    std::array<std::int64_t, max_rank> strides{};
    std::int64_t stride = 1;
    for (int i = 0; i < shape.rank; ++i) {
        const int axis = order == AxisOrder::reversed ? i : shape.rank - 1 - i;
        if (reduced[static_cast<std::size_t>(axis)]) {
            strides[static_cast<std::size_t>(axis)] = stride;
            stride *= shape[axis];
        }
    }
    return strides;
}

void merge_axes(FoldGeometry& geometry, const Shape& shape, std::span<const bool> reduced, AxisOrder order,
                bool by_user_index) {
    const auto users = user_strides(shape, reduced, order);
    const bool may_merge_reduced = !by_user_index || order == AxisOrder::as_given;
    std::int64_t stride = 1;
    std::array<FoldAxis, max_rank> axes{};  // the last one first
    std::size_t count = 0;
    for (int axis = shape.rank; axis-- > 0;) {
        const auto a = static_cast<std::size_t>(axis);
        const std::int64_t extent = shape[axis];
        const std::int64_t is_reduced = reduced[a] ? 1 : 0;
        if (extent > 1) {
            if (count > 0 && axes[count - 1].is_reduced == is_reduced &&
                (is_reduced == 0 || may_merge_reduced)) {
                axes[count - 1].extent *= extent;
            } else {
                axes[count++] = {extent, stride, users[a], is_reduced};
            }
        }
        stride *= extent;
    }
    if (count == 0) {
        axes[count++] = {1, 1, 1, 1};
    }
    std::reverse(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(count));
    geometry.axes = axes;
    geometry.rank = static_cast<std::int64_t>(count);
}

}  // namespace

FoldGeometry fold_geometry(const Shape& shape, std::span<const bool> reduced, AxisOrder order,
                           bool by_user_index, std::int64_t state_bytes) {
    FoldGeometry geometry;
    merge_axes(geometry, shape, reduced, order, by_user_index);
    std::int64_t cells = 1;
    for (std::int64_t axis = 0; axis < geometry.rank; ++axis) {
        const FoldAxis& one = geometry.axes[static_cast<std::size_t>(axis)];
        (one.is_reduced != 0 ? geometry.reduced : cells) *= one.extent;
        if (one.is_reduced != 0 && geometry.grouped < 0) {
            geometry.grouped = axis;
        }
    }
    geometry.lead = geometry.leads() ? geometry.axes[0].extent : 1;
    geometry.rest = cells / geometry.lead;
    if (geometry.grouped < 0) {
        return geometry;
    }
    // A group of one index along the grouped axis has that many values, of all its cells.
    const FoldAxis& grouped = geometry.axes[static_cast<std::size_t>(geometry.grouped)];
    // The states together are to take a sixteenth of the values' bytes or less.
    const std::int64_t values_of_index = geometry.reduced / grouped.extent;
    const std::int64_t least = std::max<std::int64_t>(rounded_up(2 * state_bytes, values_of_index), 64);
    geometry.group_size =
        std::clamp(rounded_up(group_values, grouped.stride), std::min(least, grouped.extent), grouped.extent);
    geometry.groups = rounded_up(grouped.extent, geometry.group_size);
    return geometry;
}

TilePreference partial_tiles(const FoldGeometry& geometry, std::int64_t fields) {
    TilePreference tiles;
    const std::int64_t of_cell = std::max<std::int64_t>(geometry.values_of_group(), 1);
    const std::int64_t cells = std::max<std::int64_t>(tile_values / of_cell, 1);
    // Neighbouring cells are neighbours in memory: at least a few lines of it.
    const std::int64_t least_cells = std::min<std::int64_t>(geometry.rest, 512);
    const std::int64_t of_rest = std::clamp(cells, least_cells, geometry.rest);
    const std::int64_t of_lead = std::clamp<std::int64_t>(cells / of_rest, 1, geometry.lead);
    tiles.brick = {1, 1, least_cells, fields, 1};
    tiles.most = {of_lead, std::max<std::int64_t>(cells / (of_rest * of_lead), 1), of_rest, fields, 1};
    return tiles;
}

}  // namespace slab::kernels::fold
