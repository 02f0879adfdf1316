#include "daemon/kernels/sampling/tap_block.hpp"

#include "daemon/kernels/interpolation/element_value.hpp"

#include <cstring>

namespace slab::kernels {
namespace {

template <typename Element, typename T>
void pick_taps(const std::byte* plane, const TapOffsets& offsets, std::int64_t pitch, T cval, T* block) {
    const auto& [along_z, along_y, along_x] = offsets.along;
    for (int z = 0; z < offsets.count[0]; ++z) {
        for (int y = 0; y < offsets.count[1]; ++y, block += pitch) {
            const std::int64_t offset_z = along_z[static_cast<std::size_t>(z)];
            const std::int64_t offset_y = along_y[static_cast<std::size_t>(y)];
            for (int x = 0; x < offsets.count[2]; ++x) {
                const std::int64_t offset_x = along_x[static_cast<std::size_t>(x)];
                if (offset_z < 0 || offset_y < 0 || offset_x < 0) {
                    block[x] = cval;
                    continue;
                }
                Element sample;  // an array may begin at any address
                std::memcpy(&sample,
                            plane +
                                (offset_z + offset_y + offset_x) * static_cast<std::int64_t>(sizeof(Element)),
                            sizeof(Element));
                block[x] = as_working<Element, T>(sample);
            }
        }
    }
}

}  // namespace

template <typename T>
PickTaps<T> pick_taps_of(DType dtype) {
    PickTaps<T> found = nullptr;
    with_element_type(dtype, [&]<typename Element>(Element) { found = pick_taps<Element, T>; });
    return found;
}

template PickTaps<float> pick_taps_of<float>(DType dtype);
template PickTaps<double> pick_taps_of<double>(DType dtype);

}  // namespace slab::kernels
