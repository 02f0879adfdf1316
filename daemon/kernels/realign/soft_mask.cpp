#include "daemon/kernels/realign/soft_mask.hpp"

#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>

namespace slab::kernels::realign {

void make_soft_mask(const float* image, const VolumeGrid& grid, float* to, float* other, float* third) {
    const std::int64_t count = grid.count();
    std::array<double, 3> sigma = grid.spacing();
    for (double& one : sigma) {
        one = std::min(4.0 / one, 1.5);
    }
    blur(image, grid.extents, sigma, to, other);
    const float air = 0.1F * *std::max_element(to, to + count);
    float* const bright_end = std::copy_if(to, to + count, third, [air](float value) { return value > air; });
    const std::int64_t bright_count = bright_end - third;
    if (bright_count == 0) {
        std::fill_n(to, count, 0.0F);
        return;
    }
    float* const middle = third + (bright_count - 1) * 3 / 4;
    std::nth_element(third, middle, bright_end);
    const float bright = *middle;
    for (std::int64_t i = 0; i < count; ++i) {
        const float u = std::clamp((to[i] / bright - 0.15F) / 0.20F, 0.0F, 1.0F);
        to[i] = u * u * (3.0F - 2.0F * u);
    }
}

}  // namespace slab::kernels::realign
