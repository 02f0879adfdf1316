#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

namespace slab::kernels::realign {

// Below this a voxel is air, and takes no part.
inline constexpr float least_weight = 0.01F;

// 1 in the head, 0 in air, smooth between: the image blurred by a Gaussian of 4 mm (at most 1.5 voxels), between 0.15 and
// 0.35 of its 75th percentile over what is not air (above a tenth of the maximum). The result is in `to`; `other` and
// `third` are overwritten.
void make_soft_mask(const float* image, const VolumeGrid& grid, float* to, float* other, float* third);

}  // namespace slab::kernels::realign
