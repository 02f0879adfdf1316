#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

#include <algorithm>

// A mask of the head: 1 in it, 0 in air, smooth between, of the image blurred by a Gaussian of 4 mm (at most 1.5 voxels).
namespace slab::kernels::realign {

// Below this a voxel is air, and takes no part.
inline constexpr float least_weight = 0.01F;

// In voxels.
inline std::array<double, 3> mask_blur(const VolumeGrid& grid) {
    std::array<double, 3> sigma = grid.spacing();
    for (double& one : sigma) {
        one = std::min(4.0 / one, 1.5);
    }
    return sigma;
}

// Between 0.15 and 0.35 of the brightness: the blurred image's 75th percentile over what is not air (above a tenth of the
// maximum). A dark image has the brightness 0.
inline float mask_weight(float blurred, float brightness) {
    if (!(brightness > 0.0F)) {
        return 0.0F;
    }
    const float u = std::clamp((blurred / brightness - 0.15F) / 0.20F, 0.0F, 1.0F);
    return u * u * (3.0F - 2.0F * u);
}

// The mask is in `to`; `other` and `third` are overwritten. Returns the brightness.
float make_soft_mask(const float* image, const VolumeGrid& grid, float* to, float* other, float* third);

}  // namespace slab::kernels::realign
