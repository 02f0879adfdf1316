// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_GEOMETRIC_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_GEOMETRIC_ROW
#undef SLAB_KERNELS_GEOMETRIC_ROW
#else
#define SLAB_KERNELS_GEOMETRIC_ROW
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// to[i] = the sum over t < terms of ratio^t * from[i + t * step], for i in [0, count) rounded up to whole vectors. In place
// too: going up where it reads ahead (step > 0), down where it reads behind.
template <int terms, typename T>
HWY_NOINLINE void add_geometric(const T* from, std::int64_t step, T ratio, T* to, std::int64_t count) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto power1 = hn::Set(d, ratio);
    const auto power2 = hn::Set(d, ratio * ratio);
    const auto power3 = hn::Set(d, ratio * ratio * ratio);
    const auto at = [&](std::int64_t i) HWY_ATTR {
        auto sum = hn::MulAdd(power1, hn::LoadU(d, from + i + step), hn::LoadU(d, from + i));
        if constexpr (terms == 4) {
            const auto farther = hn::Mul(power3, hn::LoadU(d, from + i + 3 * step));
            sum = hn::Add(sum, hn::MulAdd(power2, hn::LoadU(d, from + i + 2 * step), farther));
        }
        return sum;
    };
    const std::int64_t end = (count + lanes - 1) / lanes * lanes;
    if (step > 0) {
        std::int64_t i = 0;
        for (; i + 2 * lanes <= end; i += 2 * lanes) {
            const auto sum0 = at(i);
            const auto sum1 = at(i + lanes);
            hn::StoreU(sum0, d, to + i);
            hn::StoreU(sum1, d, to + i + lanes);
        }
        if (i < end) {
            hn::StoreU(at(i), d, to + i);
        }
        return;
    }
    std::int64_t i = end;
    for (; i >= 2 * lanes; i -= 2 * lanes) {
        const auto sum0 = at(i - lanes);
        const auto sum1 = at(i - 2 * lanes);
        hn::StoreU(sum0, d, to + i - lanes);
        hn::StoreU(sum1, d, to + i - 2 * lanes);
    }
    if (i > 0) {
        hn::StoreU(at(0), d, to);
    }
}

// The symmetric filter with the taps h, h z, h z^2, ... on both sides, cut off after geometric_radius: to[i] is the result
// for samples[i + radius * stride], `count` of them rounded up to whole vectors. The samples go; `to` and they are followed
// by room for vectors. Sums of 4 make sums of 16 and of 32: a third of the work of a tap at a time.
template <typename T>
HWY_INLINE void filter_geometric_row(T* samples, T middle, T ratio, std::int64_t stride, T* to,
                                     std::int64_t count) {
    constexpr std::int64_t radius = sizeof(T) == 4 ? 16 : 32;
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const T ratio4 = ratio * ratio * ratio * ratio;
    const std::int64_t halo = radius * stride;
    // behind[i + halo] = samples[i + halo] + z * samples[i + halo - stride] + ...; what lies before has fewer terms.
    T* const behind = to;
    const std::int64_t first4 = 3 * stride;
    add_geometric<4>(samples + first4, -stride, ratio, behind + first4, halo + count - first4);
    const std::int64_t first16 = 15 * stride;
    add_geometric<4>(behind + first16, -4 * stride, ratio4, behind + first16, halo + count - first16);
    add_geometric<4>(samples, stride, ratio, samples, count + 2 * halo - 3 * stride);
    add_geometric<4>(samples, 4 * stride, ratio4, samples, count + 2 * halo - 15 * stride);
    if constexpr (sizeof(T) == 8) {
        const T ratio16 = ratio4 * ratio4 * ratio4 * ratio4;
        add_geometric<2>(behind + halo - stride, -16 * stride, ratio16, behind + halo - stride,
                         count + stride);
        add_geometric<2>(samples, 16 * stride, ratio16, samples, count + 2 * halo - 31 * stride);
    }
    const auto first = hn::Set(d, middle);
    const auto second = hn::Set(d, middle * ratio);
    for (std::int64_t i = 0; i < count; i += lanes) {
        const auto ahead = hn::LoadU(d, samples + i + halo + stride);
        hn::StoreU(hn::MulAdd(second, ahead, hn::Mul(first, hn::LoadU(d, behind + i + halo))), d, to + i);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
