#pragma once

#include "common/geometry/affine_matrix.hpp"

#include <array>
#include <cmath>
#include <cstdint>

namespace slab::kernels::realign {

using Extents = std::array<std::int64_t, 3>;

// The voxels of one frame, their axes in memory order (slowest first), and where they lie: mm = to_mm * index.
struct VolumeGrid {
    Extents extents{1, 1, 1};
    AffineMatrix to_mm;

    std::int64_t count() const { return extents[0] * extents[1] * extents[2]; }
    // Of the array of spline coefficients, which has one more at both ends of each axis.
    std::int64_t padded_count() const { return (extents[0] + 2) * (extents[1] + 2) * (extents[2] + 2); }

    // Millimetres from one voxel to the next along each axis.
    Point spacing() const {
        Point length{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            length[axis] = std::hypot(to_mm.rows[0][axis], to_mm.rows[1][axis], to_mm.rows[2][axis]);
        }
        return length;
    }
};

}  // namespace slab::kernels::realign
