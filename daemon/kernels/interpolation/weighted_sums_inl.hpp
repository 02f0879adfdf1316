// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WEIGHTED_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WEIGHTED_SUMS
#undef SLAB_KERNELS_WEIGHTED_SUMS
#else
#define SLAB_KERNELS_WEIGHTED_SUMS
#endif

#include "daemon/kernels/interpolation/row_steps_inl.hpp"
#include "daemon/kernels/streaming/lines_ahead.hpp"
#include "daemon/kernels/streaming/store_mode.hpp"

#include <utility>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// So many windows of rows are summed up at once, so that a row is loaded once for all of them: as many as the
// instruction set has registers for.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
inline constexpr int rows_at_once = 4;
#else
inline constexpr int rows_at_once = 8;
#endif

// Calls visit(sums...) with `count` more sums, all zero.
template <std::size_t count, class D, class Visit, class... Sum>
HWY_INLINE void with_sums(D d, const Visit& visit, Sum&... sums) {
    if constexpr (count == 0) {
        visit(sums...);
    } else {
        auto sum = hn::Zero(d);
        with_sums<count - 1>(d, visit, sums..., sum);
    }
}

// to[j][x] is the sum over t of weights[t] * row(j + t)[x] for j < rows_at_once. Where only `count` are wanted, the rows of
// the others are any that may be read.
// Streaming: past the caches, where results are aligned to a vector and `width` is a whole number of steps of two.
// Meanwhile: Asking or NotAsking.
template <StoreMode mode, typename T, class Row, class Meanwhile>
HWY_INLINE void weigh_rows_at(const Row& row, const T* HWY_RESTRICT weights, std::int64_t taps,
                              std::int64_t count, T* const* to, std::int64_t width,
                              const Meanwhile& meanwhile) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for_steps(width, 2 * lanes, [&](std::int64_t x) SLAB_IN_REGISTERS {
        const auto lines = meanwhile.begin_step(taps + rows_at_once - 1);
        // Sums 2 j and 2 j + 1 are those of window j.
        with_sums<2 * rows_at_once>(d, [&](auto&... sums) SLAB_IN_REGISTERS {
            const auto each = [&]<std::size_t... k>(std::index_sequence<k...>, const auto& visit)
                SLAB_IN_REGISTERS {
                (visit.template operator()<k / 2, k % 2>(sums), ...);
            };
            const auto for_each_sum = [&](const auto& visit) SLAB_IN_REGISTERS {
                each(std::index_sequence_for<decltype(sums)...>(), visit);
            };
            // has(j): whether window j has row s, of which it has element s - j.
            const auto add_row = [&](std::int64_t s, const auto& has) SLAB_IN_REGISTERS {
                lines.ask_for(s);
                const auto v0 = hn::LoadU(d, row(s) + x);
                const auto v1 = hn::LoadU(d, row(s) + x + lanes);
                for_each_sum([&]<std::size_t j, std::size_t half>(auto& sum) SLAB_IN_REGISTERS {
                    if (has(std::integral_constant<std::int64_t, static_cast<std::int64_t>(j)>())) {
                        const T weight = weights[s - static_cast<std::int64_t>(j)];
                        sum = hn::MulAdd(hn::Set(d, weight), half == 0 ? v0 : v1, sum);
                    }
                });
            };
            if (taps < rows_at_once) {
                for (std::int64_t s = 0; s < taps + rows_at_once - 1; ++s) {
                    add_row(s, [s, taps](std::int64_t j) { return s >= j && s - j < taps; });
                }
            } else {
                // At the ends only some of the windows have the row: which ones is known here.
                const auto at_ends = [&]<std::int64_t... k>(std::integer_sequence<std::int64_t, k...>,
                                                            const auto& visit) SLAB_IN_REGISTERS {
                    (visit(std::integral_constant<std::int64_t, k>()), ...);
                };
                constexpr auto ends = std::make_integer_sequence<std::int64_t, rows_at_once - 1>();
                at_ends(ends, [&](auto k) SLAB_IN_REGISTERS {
                    add_row(k, [](auto j) {
                        return std::bool_constant<(decltype(j)::value <= decltype(k)::value)>();
                    });
                });
                for (std::int64_t s = rows_at_once - 1; s < taps; ++s) {
                    add_row(s, [](auto) { return std::true_type(); });
                }
                at_ends(ends, [&](auto k) SLAB_IN_REGISTERS {
                    add_row(taps + k, [](auto j) {
                        return std::bool_constant<(decltype(j)::value > decltype(k)::value)>();
                    });
                });
            }
            for_each_sum([&]<std::size_t j, std::size_t half>(auto& sum) SLAB_IN_REGISTERS {
                if (static_cast<std::int64_t>(j) < count) {
                    T* const place = to[j] + x + (half == 0 ? 0 : lanes);
                    if constexpr (mode == StoreMode::streaming) {
                        hn::Stream(sum, d, place);
                    } else {
                        hn::StoreU(sum, d, place);
                    }
                }
            });
        });
    });
}

// Of rows anywhere, `offset` behind these addresses.
template <StoreMode mode, typename T, class Meanwhile = NotAsking>
HWY_NOINLINE void weigh_rows(const T* const* HWY_RESTRICT rows, std::int64_t offset,
                             const T* HWY_RESTRICT weights, std::int64_t taps, std::int64_t count,
                             T* const* to, std::int64_t width, const Meanwhile& meanwhile = {}) {
    weigh_rows_at<mode>([rows, offset](std::int64_t s) SLAB_IN_REGISTERS { return rows[s] + offset; },
                        weights, taps, count, to, width, meanwhile);
}

// Of `row_count` rows that lie `pitch` apart; the results `to_pitch`.
template <StoreMode mode, typename T>
HWY_NOINLINE void weigh_rows_apart(const T* HWY_RESTRICT rows, std::int64_t pitch, std::int64_t row_count,
                                   const T* HWY_RESTRICT weights, std::int64_t taps, T* HWY_RESTRICT to,
                                   std::int64_t to_pitch, std::int64_t width) {
    T* results[rows_at_once];
    for (std::int64_t j = 0; j < rows_at_once; ++j) {
        results[j] = to + j * to_pitch;
    }
    const std::int64_t last = row_count - 1;
    weigh_rows_at<mode>([rows, pitch, last](std::int64_t s)
                            SLAB_IN_REGISTERS { return rows + std::min(s, last) * pitch; },
                        weights, taps, std::min<std::int64_t>(rows_at_once, row_count - taps + 1), results,
                        width, NotAsking());
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
