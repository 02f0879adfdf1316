// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_PALINDROME_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_PALINDROME_SUMS
#undef SLAB_KERNELS_PALINDROME_SUMS
#else
#define SLAB_KERNELS_PALINDROME_SUMS
#endif

#include "daemon/kernels/interpolation/weighted_row_inl.hpp"
#include "daemon/kernels/interpolation/weighted_sums_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Short windows of float whose weights read the same from both ends, as a Gaussian's: half of the weights fit into
// registers beside the sums, where there are 32. The same additions in the same order as weigh_rows and weigh_along_row,
// to the last bit, in three quarters of their time. Windows of up to 7 wait for memory either way.
inline constexpr std::int64_t least_palindrome_taps = 9;
inline constexpr std::int64_t most_palindrome_taps = 17;

template <typename T>
bool has_palindrome_sums(const T* weights, std::int64_t taps) {
    bool has = SLAB_VECTORS_ARE_LINES && sizeof(T) == 4 && taps % 2 == 1 && taps >= least_palindrome_taps &&
               taps <= most_palindrome_taps;
    for (std::int64_t t = 0; has && t < taps / 2; ++t) {
        has = weights[t] == weights[taps - 1 - t];
    }
    return has;
}

#if SLAB_VECTORS_ARE_LINES

// Calls visit.operator()<taps>(). Of taps that have_palindrome_sums().
template <class Visit>
HWY_INLINE void with_taps(std::int64_t taps, const Visit& visit) {
    switch (taps) {
    case 9: return visit.template operator()<9>();
    case 11: return visit.template operator()<11>();
    case 13: return visit.template operator()<13>();
    case 15: return visit.template operator()<15>();
    case 17: return visit.template operator()<17>();
    default: break;
    }
}

template <class Visit, int... i>
HWY_INLINE void for_each_constant(const Visit& visit, std::integer_sequence<int, i...>) {
    (visit(std::integral_constant<int, i>()), ...);
}

using FloatVector = hn::Vec<hn::ScalableTag<float>>;

template <int taps>
HWY_INLINE void load_half(const float* HWY_RESTRICT weights, FloatVector (&half)[taps / 2 + 1]) {
#pragma GCC unroll 16
    for (int i = 0; i <= taps / 2; ++i) {
        half[i] = hn::Set(hn::ScalableTag<float>(), weights[i]);
    }
}

// Or the compiler would make each sum where it knows that it is wanted, with all samples waiting in memory.
HWY_INLINE void make_now(FloatVector& first, FloatVector& second) {
    asm volatile("" : "+v"(first.raw), "+v"(second.raw));
}

// A step of weigh_rows: two vectors of each window's sum, of the samples `offset` behind the rows, to x and on.
template <int taps, StoreMode mode, class Meanwhile>
HWY_INLINE void weigh_palindrome_rows_step(const float* const* HWY_RESTRICT rows, std::int64_t offset,
                                           const FloatVector (&half)[taps / 2 + 1], std::int64_t count,
                                           float* const* to, std::int64_t x, const Meanwhile& meanwhile) {
    const hn::ScalableTag<float> d;
    constexpr std::int64_t lanes = 64 / sizeof(float);
    constexpr auto windows = std::make_integer_sequence<int, rows_at_once>();
    FloatVector firsts[rows_at_once];
    FloatVector seconds[rows_at_once];
    for_each_constant([&](auto j) SLAB_IN_REGISTERS { firsts[j] = seconds[j] = hn::Zero(d); }, windows);
    const auto lines = meanwhile.begin_step(taps + rows_at_once - 1);
    const auto add_row = [&]<int s>(std::integral_constant<int, s>) SLAB_IN_REGISTERS {
        lines.ask_for(s);
        const float* const samples = rows[s] + offset;
        const FloatVector first = hn::LoadU(d, samples);
        const FloatVector second = hn::LoadU(d, samples + lanes);
        const auto add = [&]<int j>(std::integral_constant<int, j>) SLAB_IN_REGISTERS {
            constexpr int t = s - j;  // of window j
            if constexpr (t >= 0 && t < taps) {
                const FloatVector weight = half[t <= taps / 2 ? t : taps - 1 - t];
                firsts[j] = hn::MulAdd(weight, first, firsts[j]);
                seconds[j] = hn::MulAdd(weight, second, seconds[j]);
            }
        };
        for_each_constant(add, windows);
    };
    for_each_constant(add_row, std::make_integer_sequence<int, taps + rows_at_once - 1>());
    for_each_constant([&](auto j) SLAB_IN_REGISTERS { make_now(firsts[j], seconds[j]); }, windows);
    const auto store = [&]<int j>(std::integral_constant<int, j>) SLAB_IN_REGISTERS {
        if (j >= count) {
            return;
        }
        if constexpr (mode == StoreMode::streaming) {
            hn::Stream(firsts[j], d, to[j] + x);
            hn::Stream(seconds[j], d, to[j] + x + lanes);
        } else {
            hn::StoreU(firsts[j], d, to[j] + x);
            hn::StoreU(seconds[j], d, to[j] + x + lanes);
        }
    };
    for_each_constant(store, windows);
}

// As weigh_rows.
template <StoreMode mode, class Meanwhile>
HWY_NOINLINE void weigh_palindrome_rows(const float* const* HWY_RESTRICT rows, std::int64_t offset,
                                        const float* HWY_RESTRICT weights, std::int64_t taps,
                                        std::int64_t count, float* const* to, std::int64_t width,
                                        const Meanwhile& meanwhile) {
    with_taps(taps, [&]<int fixed>() SLAB_IN_REGISTERS {
        FloatVector half[fixed / 2 + 1];
        load_half<fixed>(weights, half);
        for_steps(width, row_step<float>(2), [&](std::int64_t x) SLAB_IN_REGISTERS {
            weigh_palindrome_rows_step<fixed, mode>(rows, offset + x, half, count, to, x, meanwhile);
        });
    });
}

// A step of weigh_along_row: `vectors` vectors from x on, of which every third tap's samples are put together of two that
// were loaded (see weigh_step).
template <int taps, int vectors, class Target>
HWY_INLINE void weigh_palindrome_step(const float* HWY_RESTRICT row, const FloatVector (&half)[taps / 2 + 1],
                                      const Target& to, std::int64_t x) {
    const hn::ScalableTag<float> d;
    constexpr std::int64_t lanes = 64 / sizeof(float);
    const float* const from = row + x;
    FloatVector sums[vectors];
    FloatVector loaded[vectors + 1];
#pragma GCC unroll 8
    for (int k = 0; k < vectors; ++k) {
        sums[k] = hn::Zero(d);
    }
#pragma GCC unroll 8
    for (int k = 0; k < vectors; ++k) {
        loaded[k] = hn::LoadU(d, from + k * lanes);
    }
    loaded[vectors] =
        hn::MaskedLoad(hn::FirstN(d, taps - 1), d, from + vectors * lanes);  // nothing behind the row
    const auto add = [&]<int t>(std::integral_constant<int, t>) SLAB_IN_REGISTERS {
        const FloatVector weight = half[t <= taps / 2 ? t : taps - 1 - t];
#pragma GCC unroll 8
        for (int k = 0; k < vectors; ++k) {
            FloatVector samples;
            if constexpr (t == lanes) {
                samples = loaded[k + 1];
            } else if constexpr (t % 3 == 0) {
                samples = shifted<t>(loaded[k], loaded[k + 1]);
            } else {
                samples = hn::LoadU(d, from + t + k * lanes);
            }
            sums[k] = hn::MulAdd(weight, samples, sums[k]);
        }
    };
    for_each_constant(add, std::make_integer_sequence<int, taps>());
#pragma GCC unroll 8
    for (int k = 0; k < vectors; ++k) {
        to.put(sums[k], x + k * lanes);
    }
}

// As weigh_along_row with a stride of 1.
template <class Target>
HWY_NOINLINE void weigh_along_palindrome_row(const float* HWY_RESTRICT row, const float* HWY_RESTRICT weights,
                                             std::int64_t taps, const Target& to, std::int64_t width) {
    with_taps(taps, [&]<int fixed>() SLAB_IN_REGISTERS {
        FloatVector half[fixed / 2 + 1];
        load_half<fixed>(weights, half);
        std::int64_t x = 0;
        for (const std::int64_t step = row_step<float>(8); x + step <= width; x += step) {
            weigh_palindrome_step<fixed, 8>(row, half, to, x);
        }
        for_steps_from(x, width, row_step<float>(4), [&](std::int64_t at) SLAB_IN_REGISTERS {
            weigh_palindrome_step<fixed, 4>(row, half, to, at);
        });
    });
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
