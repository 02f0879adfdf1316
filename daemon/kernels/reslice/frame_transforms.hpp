#pragma once

#include "common/geometry/affine_matrix.hpp"
#include "daemon/kernels/kernel.hpp"

#include <vector>

namespace slab::kernels {

// The table `transforms` as maps from a frame's mm to the reference's, one for each frame; the grid's own map from voxels
// to the mm that they are in. Voxels are numbered in the user's order of the axes of space.
struct FrameTransforms {
    AffineMatrix to_mm;
    std::vector<AffineMatrix> motions;
};

// extents: of the axes of space, in the user's order. Refuses what is not finite, does not fit, contradicts itself or has
// no inverse.
Expected<FrameTransforms> frame_transforms(const PlanRequest& request,
                                           const std::array<std::int64_t, 3>& extents);

// From voxels, numbered in the user's order of the axes of space, to mm: the parameter `affine`, or `voxel_size`.
Expected<AffineMatrix> grid_to_mm(const PlanRequest& request);

}  // namespace slab::kernels
