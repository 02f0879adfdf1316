// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ROW_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ROW_SUMS
#undef SLAB_KERNELS_ROW_SUMS
#else
#define SLAB_KERNELS_ROW_SUMS
#endif

#include "daemon/kernels/windows/separable_window.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <bit>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows in scratch may be read and written up to whole groups of four vectors. Rows that are not in scratch may not:
// where `width` is no multiple of a step, the last step begins earlier and does a part of its work twice, which is why
// nothing here works in place.
template <typename T>
HWY_INLINE std::int64_t row_step(int vectors) {
    return vectors * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

// Calls step(x) so that steps of `step` cover [0, width). Of a width below one step: one step, in scratch alone.
template <class Step>
HWY_INLINE void for_steps(std::int64_t width, std::int64_t step, const Step& visit) {
    std::int64_t x = 0;
    for (; x + step <= width; x += step) {
        visit(x);
    }
    if (x < width) {
        visit(std::max<std::int64_t>(0, width - step));
    }
}

// to[x] = weights[0] * row[x] + weights[1] * row[x + stride] + ...
template <typename T>
HWY_NOINLINE void weigh_along_row(const T* HWY_RESTRICT row, const T* HWY_RESTRICT weights, std::int64_t taps,
                                  std::int64_t stride, T* HWY_RESTRICT to, std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for_steps(width, 4 * lanes, [&](std::int64_t x) HWY_ATTR {
        auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
        const T* from = row + x;
        for (std::int64_t t = 0; t < taps; ++t, from += stride) {
            const auto weight = hn::Set(d, weights[t]);
            sum0 = hn::MulAdd(weight, hn::LoadU(d, from), sum0);
            sum1 = hn::MulAdd(weight, hn::LoadU(d, from + lanes), sum1);
            sum2 = hn::MulAdd(weight, hn::LoadU(d, from + 2 * lanes), sum2);
            sum3 = hn::MulAdd(weight, hn::LoadU(d, from + 3 * lanes), sum3);
        }
        hn::StoreU(sum0, d, to + x);
        hn::StoreU(sum1, d, to + x + lanes);
        hn::StoreU(sum2, d, to + x + 2 * lanes);
        hn::StoreU(sum3, d, to + x + 3 * lanes);
    });
}

// Four windows of rows at once, so that a row is loaded for four: to[j][x] is the sum over t of weights[t] *
// rows[j + t][offset + x]. Where only `count` are wanted, the rows of the others are any that may be read.
template <typename T>
HWY_NOINLINE void weigh_four_rows(const T* const* HWY_RESTRICT rows, std::int64_t offset,
                                  const T* HWY_RESTRICT weights, std::int64_t taps, std::int64_t count,
                                  T* const* to, std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for_steps(width, 2 * lanes, [&](std::int64_t x) HWY_ATTR {
        auto a0 = hn::Zero(d), a1 = hn::Zero(d), b0 = hn::Zero(d), b1 = hn::Zero(d);
        auto c0 = hn::Zero(d), c1 = hn::Zero(d), e0 = hn::Zero(d), e1 = hn::Zero(d);
        const std::int64_t at = offset + x;
        // At the ends only some of the four windows have the row.
        const auto add_where_due = [&](std::int64_t s) HWY_ATTR {
            const auto v0 = hn::LoadU(d, rows[s] + at);
            const auto v1 = hn::LoadU(d, rows[s] + at + lanes);
            const auto add = [&](std::int64_t t, auto& sum0, auto& sum1) HWY_ATTR {
                if (t >= 0 && t < taps) {
                    const auto weight = hn::Set(d, weights[t]);
                    sum0 = hn::MulAdd(weight, v0, sum0);
                    sum1 = hn::MulAdd(weight, v1, sum1);
                }
            };
            add(s, a0, a1);
            add(s - 1, b0, b1);
            add(s - 2, c0, c1);
            add(s - 3, e0, e1);
        };
        const std::int64_t inner_end = std::max<std::int64_t>(3, taps);
        for (std::int64_t s = 0; s < 3; ++s) {
            add_where_due(s);
        }
        for (std::int64_t s = 3; s < inner_end; ++s) {
            const auto v0 = hn::LoadU(d, rows[s] + at);
            const auto v1 = hn::LoadU(d, rows[s] + at + lanes);
            const auto weight0 = hn::Set(d, weights[s]);
            a0 = hn::MulAdd(weight0, v0, a0);
            a1 = hn::MulAdd(weight0, v1, a1);
            const auto weight1 = hn::Set(d, weights[s - 1]);
            b0 = hn::MulAdd(weight1, v0, b0);
            b1 = hn::MulAdd(weight1, v1, b1);
            const auto weight2 = hn::Set(d, weights[s - 2]);
            c0 = hn::MulAdd(weight2, v0, c0);
            c1 = hn::MulAdd(weight2, v1, c1);
            const auto weight3 = hn::Set(d, weights[s - 3]);
            e0 = hn::MulAdd(weight3, v0, e0);
            e1 = hn::MulAdd(weight3, v1, e1);
        }
        for (std::int64_t s = inner_end; s < taps + 3; ++s) {
            add_where_due(s);
        }
        const auto store = [&](std::int64_t j, auto sum0, auto sum1) HWY_ATTR {
            if (j < count) {
                hn::StoreU(sum0, d, to[j] + x);
                hn::StoreU(sum1, d, to[j] + x + lanes);
            }
        };
        store(0, a0, a1);
        store(1, b0, b1);
        store(2, c0, c1);
        store(3, e0, e1);
    });
}

// Windows of up to so many samples are summed up in registers.
inline constexpr std::int64_t most_short_window = 8;

// See sum_of_window: load(i) is a vector of samples i of the windows.
template <int begin, int count, class Load>
HWY_INLINE auto vectors_of_run(const Load& load) {
    if constexpr (count == 1) {
        return load(begin);
    } else {
        return hn::Add(vectors_of_run<begin, count / 2>(load),
                       vectors_of_run<begin + count / 2, count / 2>(load));
    }
}

template <int begin, int taps, class Load>
HWY_INLINE auto vectors_of_window(const Load& load) {
    constexpr int longest = static_cast<int>(std::bit_floor(static_cast<unsigned>(taps)));
    if constexpr (longest == taps) {
        return vectors_of_run<begin, taps>(load);
    } else {
        return hn::Add(vectors_of_run<begin, longest>(load),
                       vectors_of_window<begin + longest, taps - longest>(load));
    }
}

// What is done to a sum before it is stored.
template <typename T>
struct Finish {
    T nudge = T(0);
    T scale = T(1);
};

template <typename T, class V>
HWY_INLINE V finished(const Finish<T>& finish, V sum) {
    const hn::DFromV<V> d;
    return hn::Mul(hn::Add(sum, hn::CopySign(hn::Set(d, finish.nudge), sum)), hn::Set(d, finish.scale));
}

template <int taps, typename T, class Place>
HWY_INLINE void add_short_of(const Place& place, const Finish<T>& finish, T* HWY_RESTRICT to,
                             std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for_steps(width, 2 * lanes, [&](std::int64_t x) HWY_ATTR {
        const auto sum0 =
            vectors_of_window<0, taps>([&](int i) HWY_ATTR { return hn::LoadU(d, place(i) + x); });
        const auto sum1 =
            vectors_of_window<0, taps>([&](int i) HWY_ATTR { return hn::LoadU(d, place(i) + x + lanes); });
        hn::StoreU(finished(finish, sum0), d, to + x);
        hn::StoreU(finished(finish, sum1), d, to + x + lanes);
    });
}

// to[x] = the sum of place(i)[x] for i < taps, at most most_short_window.
template <typename T, class Place>
HWY_INLINE void add_short(std::int64_t taps, const Place& place, const Finish<T>& finish, T* to,
                          std::int64_t width) {
    switch (taps) {
    case 1: return add_short_of<1>(place, finish, to, width);
    case 2: return add_short_of<2>(place, finish, to, width);
    case 3: return add_short_of<3>(place, finish, to, width);
    case 4: return add_short_of<4>(place, finish, to, width);
    case 5: return add_short_of<5>(place, finish, to, width);
    case 6: return add_short_of<6>(place, finish, to, width);
    case 7: return add_short_of<7>(place, finish, to, width);
    case 8: return add_short_of<8>(place, finish, to, width);
    default: break;
    }
}

template <typename T>
HWY_NOINLINE void add_short_rows(const T* const* rows, std::int64_t offset, std::int64_t taps,
                                 const Finish<T>& finish, T* HWY_RESTRICT to, std::int64_t width) {
    add_short(
        taps, [&](int i) HWY_ATTR { return rows[i] + offset; }, finish, to, width);
}

template <typename T>
HWY_NOINLINE void add_short_along_row(const T* HWY_RESTRICT row, std::int64_t taps, std::int64_t stride,
                                      const Finish<T>& finish, T* HWY_RESTRICT to, std::int64_t width) {
    add_short(
        taps, [&](int i) HWY_ATTR { return row + i * stride; }, finish, to, width);
}

// The sum of two rows.
template <typename T>
HWY_INLINE void add_rows(const T* HWY_RESTRICT a, const T* HWY_RESTRICT b, T* HWY_RESTRICT to,
                         std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for (std::int64_t x = 0; x < width; x += lanes) {
        hn::StoreU(hn::Add(hn::LoadU(d, a + x), hn::LoadU(d, b + x)), d, to + x);
    }
}

// to = rows[0] + (rows[1] + (... + rows[count - 1])): the runs of a window, the longest first.
template <typename T>
HWY_INLINE void add_runs(const T* const* rows, std::int64_t offset, int count, const Finish<T>& finish,
                         T* HWY_RESTRICT to, std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for (std::int64_t x = 0; x < width; x += lanes) {
        auto sum = hn::LoadU(d, rows[count - 1] + offset + x);
        for (int i = count - 1; i-- > 0;) {
            sum = hn::Add(hn::LoadU(d, rows[i] + offset + x), sum);
        }
        hn::StoreU(finished(finish, sum), d, to + x);
    }
}

// Windows of any length along a row in scratch of width + (taps - 1) * stride samples, which is overwritten: after round
// k it holds the sums of 2^k samples.
template <typename T>
HWY_NOINLINE void add_along_row(T* row, std::int64_t taps, std::int64_t stride, const Finish<T>& finish,
                                T* HWY_RESTRICT to, std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    std::int64_t valid = width + (taps - 1) * stride;
    bool is_first = true;
    for (std::int64_t run = 1; run <= taps; run *= 2) {
        if ((taps & run) != 0) {
            const T* const from = row + (taps & ~(2 * run - 1)) * stride;
            for (std::int64_t x = 0; x < width; x += lanes) {
                const auto part = hn::LoadU(d, from + x);
                hn::StoreU(is_first ? part : hn::Add(part, hn::LoadU(d, to + x)), d, to + x);
            }
            is_first = false;
        }
        if (2 * run > taps) {
            break;
        }
        // In place, upward: what is read ahead has not been overwritten yet.
        valid -= run * stride;
        for (std::int64_t x = 0; x < valid; x += lanes) {
            const auto left = hn::LoadU(d, row + x);
            hn::StoreU(hn::Add(left, hn::LoadU(d, row + x + run * stride)), d, row + x);
        }
    }
    for (std::int64_t x = 0; x < width; x += lanes) {
        hn::StoreU(finished(finish, hn::LoadU(d, to + x)), d, to + x);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
