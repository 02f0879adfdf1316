#pragma once

#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace slab::kernels::fold {

// One axis or several adjacent ones that are all kept or all reduced.
struct FoldAxis {
    std::int64_t extent = 1;
    std::int64_t stride = 1;  // elements of the iteration space
    std::int64_t user_stride =
        0;  // of a reduced one, for argmin and argmax: in C order of the user's reduced axes
    std::int64_t is_reduced = 0;
};

// How a fold is divided. Cells are the elements of the result: (lead, rest), the first kept axis and all others. The
// values of a cell are divided into groups along the first reduced axis: a fixed grid of the whole array, so that no
// tiling shows. Workspace 0 holds a state for each: [lead, groups, rest, fields of 8 bytes].
// Where the slowest axis is reduced `lead` is 1, and bands go along the groups; where it is kept, along `lead`.
struct FoldGeometry {
    std::int64_t rank = 0;
    std::array<FoldAxis, max_rank> axes{};
    std::int64_t grouped = -1;  // the first reduced axis; -1: none
    std::int64_t group_size = 1;
    std::int64_t groups = 1;
    std::int64_t lead = 1;
    std::int64_t rest = 1;
    std::int64_t reduced = 1;  // values of a cell

    bool leads() const { return axes[0].is_reduced == 0; }
    Shape partials(std::int64_t fields) const { return {lead, groups, rest, fields}; }
    // Values that one group of one cell has at the most.
    std::int64_t values_of_group() const { return grouped < 0 ? 1 : reduced / grouped_extent() * group_size; }
    std::int64_t grouped_extent() const { return axes[static_cast<std::size_t>(grouped)].extent; }
};

// `reduced`: for each axis of the shape. `state_bytes`: small beside the values that gather in it. By user index: axes are
// merged only where the user's indices of argmin go on as the kernel's do.
FoldGeometry fold_geometry(const Shape& shape, std::span<const bool> reduced, AxisOrder order,
                           bool by_user_index, std::int64_t state_bytes);

// How the partial results are best cut into tiles.
TilePreference partial_tiles(const FoldGeometry& geometry, std::int64_t fields);

}  // namespace slab::kernels::fold
