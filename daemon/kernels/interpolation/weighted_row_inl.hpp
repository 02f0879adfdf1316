// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WEIGHTED_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WEIGHTED_ROW
#undef SLAB_KERNELS_WEIGHTED_ROW
#else
#define SLAB_KERNELS_WEIGHTED_ROW
#endif

#include "daemon/kernels/interpolation/row_steps_inl.hpp"
#include "daemon/kernels/interpolation/sum_places_inl.hpp"

#include <type_traits>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Whether this instruction set's vectors are lines of the cache, so that all but one in a line of loads take two of them.
#undef SLAB_VECTORS_ARE_LINES
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define SLAB_VECTORS_ARE_LINES 1
#else
#define SLAB_VECTORS_ARE_LINES 0
#endif

#if SLAB_VECTORS_ARE_LINES
// Lanes [count, count + lanes) of the two, one behind the other.
template <int count, class V>
HWY_INLINE V shifted(V first, V second) {
    if constexpr (count == 0) {
        return first;
    } else if constexpr (sizeof(hn::TFromV<V>) == 4) {
        return V{_mm512_castsi512_ps(
            _mm512_alignr_epi32(_mm512_castps_si512(second.raw), _mm512_castps_si512(first.raw), count))};
    } else {
        return V{_mm512_castsi512_pd(
            _mm512_alignr_epi64(_mm512_castpd_si512(second.raw), _mm512_castpd_si512(first.raw), count))};
    }
}
#endif

// to[x] = weights[0] * row[x] + weights[1] * row[x + stride] + ... for `vectors` vectors from x on.
// Where vectors are lines, of every run of neighbours that fill one each third vector is put together of two that were
// loaded: permutes and loads have ports of their own. One sample behind a run is read, too.
template <int vectors, typename T, class Target>
HWY_INLINE void weigh_step(const T* HWY_RESTRICT row, const T* HWY_RESTRICT weights, std::int64_t taps,
                           std::int64_t stride, const Target& to, std::int64_t x) {
    const hn::ScalableTag<T> d;
    using V = hn::Vec<decltype(d)>;
    const std::int64_t lanes = row_step<T>(1);
    V sums[vectors];
    for (int k = 0; k < vectors; ++k) {
        sums[k] = hn::Zero(d);
    }
    const T* from = row + x;
    std::int64_t t = 0;
#if SLAB_VECTORS_ARE_LINES
    constexpr int run = 64 / sizeof(T);
    for (; stride == 1 && t + run < taps; t += run, from += run) {
        asm(""
            : "+r"(
                from));  // or the compiler would keep a run's vectors for the next, more than there are registers
        V loaded[vectors + 1];
        for (int k = 0; k <= vectors; ++k) {
            loaded[k] = hn::LoadU(d, from + k * lanes);
        }
        const auto add = [&]<int i>(std::integral_constant<int, i>) SLAB_IN_REGISTERS {
            const V weight = hn::Set(d, weights[t + i]);
            for (int k = 0; k < vectors; ++k) {
                if constexpr (i % 3 == 0) {
                    sums[k] = hn::MulAdd(weight, shifted<i>(loaded[k], loaded[k + 1]), sums[k]);
                } else {
                    sums[k] = hn::MulAdd(weight, hn::LoadU(d, from + i + k * lanes), sums[k]);
                }
            }
        };
        [&]<int... i>(std::integer_sequence<int, i...>) SLAB_IN_REGISTERS {
            (add(std::integral_constant<int, i>()), ...);
        }
        (std::make_integer_sequence<int, run>());
    }
#endif
    for (; t < taps; ++t, from += stride) {
        const V weight = hn::Set(d, weights[t]);
        for (int k = 0; k < vectors; ++k) {
            sums[k] = hn::MulAdd(weight, hn::LoadU(d, from + k * lanes), sums[k]);
        }
    }
    for (int k = 0; k < vectors; ++k) {
        to.put(sums[k], x + k * lanes);
    }
}

// to[x] = weights[0] * row[x] + weights[1] * row[x + stride] + ...
template <typename T, class Target>
HWY_NOINLINE void weigh_along_row(const T* HWY_RESTRICT row, const T* HWY_RESTRICT weights, std::int64_t taps,
                                  std::int64_t stride, const Target& to, std::int64_t width) {
    std::int64_t x = 0;
#if SLAB_VECTORS_ARE_LINES
    for (const std::int64_t step = row_step<T>(8); x + step <= width; x += step) {
        weigh_step<8>(row, weights, taps, stride, to, x);
    }
#endif
    for_steps_from(x, width, row_step<T>(4),
                   [&](std::int64_t at) HWY_ATTR { weigh_step<4>(row, weights, taps, stride, to, at); });
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
