// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ROW_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ROW_SUMS
#undef SLAB_KERNELS_ROW_SUMS
#else
#define SLAB_KERNELS_ROW_SUMS
#endif

#include "daemon/kernels/interpolation/row_steps_inl.hpp"
#include "daemon/kernels/interpolation/sum_places_inl.hpp"

#include <bit>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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

template <int taps, typename T, class Place, class Target>
HWY_INLINE void add_short_of(const Place& place, const Finish<T>& finish, const Target& to,
                             std::int64_t width) {
    const hn::ScalableTag<T> d;
    const std::int64_t lanes = row_step<T>(1);
    for_steps(width, 2 * lanes, [&](std::int64_t x) HWY_ATTR {
        const auto sum0 =
            vectors_of_window<0, taps>([&](int i) HWY_ATTR { return hn::LoadU(d, place(i) + x); });
        const auto sum1 =
            vectors_of_window<0, taps>([&](int i) HWY_ATTR { return hn::LoadU(d, place(i) + x + lanes); });
        to.put(finished(finish, sum0), x);
        to.put(finished(finish, sum1), x + lanes);
    });
}

// to[x] = the sum of place(i)[x] for i < taps, at most most_short_window.
template <typename T, class Place, class Target>
HWY_INLINE void add_short(std::int64_t taps, const Place& place, const Finish<T>& finish, const Target& to,
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
        taps, [&](int i) HWY_ATTR { return rows[i] + offset; }, finish, InScratch<T>{to}, width);
}

template <typename T, class Target>
HWY_NOINLINE void add_short_along_row(const T* HWY_RESTRICT row, std::int64_t taps, std::int64_t stride,
                                      const Finish<T>& finish, const Target& to, std::int64_t width) {
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
