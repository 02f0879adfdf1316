#include "daemon/kernels/realign/soft_mask.hpp"

#include "daemon/kernels/realign/volume_filters.hpp"

namespace slab::kernels::realign {
namespace {

float brightness_of(const float* blurred, std::int64_t count, float* other) {
    const float air = 0.1F * *std::max_element(blurred, blurred + count);
    float* const bright_end =
        std::copy_if(blurred, blurred + count, other, [air](float value) { return value > air; });
    if (bright_end == other) {
        return 0.0F;
    }
    float* const at = other + (bright_end - other - 1) * 3 / 4;
    std::nth_element(other, at, bright_end);
    return *at;
}

}  // namespace

float make_soft_mask(const float* image, const VolumeGrid& grid, float* to, float* other, float* third) {
    const std::int64_t count = grid.count();
    blur(image, grid.extents, mask_blur(grid), to, other);
    const float brightness = brightness_of(to, count, third);
    std::transform(to, to + count, to, [&](float blurred) { return mask_weight(blurred, brightness); });
    return brightness;
}

}  // namespace slab::kernels::realign
