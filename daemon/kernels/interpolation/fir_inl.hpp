// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_FIR) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_FIR
#undef SLAB_KERNELS_FIR
#else
#define SLAB_KERNELS_FIR
#endif

#include "daemon/kernels/interpolation/element_rows_inl.hpp"
#include "daemon/kernels/interpolation/line_filter.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The longest vector of any instruction set, in bytes: rows in scratch are followed by room for some of them.
inline constexpr std::int64_t most_vector_bytes = 256;

// h[-r..r] of the filter in the working type, at `to`.
template <typename T>
HWY_INLINE void unfold_taps(const LineFilter& filter, std::span<const std::byte> table, T* to) {
    for (std::int64_t i = -filter.radius; i <= filter.radius; ++i) {
        double tap;
        std::memcpy(&tap, table.data() + filter.table_begin + 8 * (i < 0 ? -i : i), sizeof(tap));
        to[i + filter.radius] = static_cast<T>(tap);
    }
}

// A line of samples in memory: along one axis, with everything faster than it as its element.
struct SampleLine {
    const std::byte* data;  // the part 0 of index 0
    DType dtype;
    std::int64_t n;      // indices along the axis
    std::int64_t pitch;  // from one index to the next, in parts
    std::int64_t width;  // parts of each index that are wanted, from `data` on
    std::int64_t parts;  // 2: real and imaginary parts alternate
};

// What lies beyond, where that is cval: of `width` parts, the first of which is a real part.
template <typename T>
HWY_INLINE void place_beyond(T* to, std::int64_t width, std::int64_t parts, double cval) {
    for (std::int64_t i = 0; i < width; ++i) {
        to[i] = parts == 2 && i % 2 == 1 ? T(0) : static_cast<T>(cval);
    }
}

// Indices [begin, end) of the line, also beyond its ends, one after the other at `to`, `to_pitch` apart.
template <typename T>
HWY_INLINE void load_line(const SampleLine& line, std::int64_t begin, std::int64_t end, Extension extension,
                          Boundary boundary, double cval, T* to, std::int64_t to_pitch) {
    const auto part_bytes = static_cast<std::int64_t>(size_of(part_dtype(line.dtype)));
    for (std::int64_t i = begin; i < end;) {
        T* const target = to + (i - begin) * to_pitch;
        if (i >= 0 && i < line.n && line.pitch == line.width && to_pitch == line.width) {
            const std::int64_t stop = std::min(end, line.n);
            load_row(line.data + i * line.pitch * part_bytes, line.dtype, target, (stop - i) * line.width);
            i = stop;
            continue;
        }
        const bool is_inside = i >= 0 && i < line.n;
        const std::optional<std::int64_t> at = is_inside ? i : extended_index(extension, i, line.n, boundary);
        if (at) {
            load_row(line.data + *at * line.pitch * part_bytes, line.dtype, target, line.width);
        } else {
            place_beyond(target, line.width, line.parts, cval);
        }
        ++i;
    }
}

// `count` results of the filter along a row in scratch: result i is the sum over t of taps[t] * row[i + t * stride].
// Reads and writes whole groups of four vectors.
template <typename T>
HWY_INLINE void filter_row(const T* HWY_RESTRICT row, const T* HWY_RESTRICT taps, std::int64_t tap_count,
                           std::int64_t stride, T* HWY_RESTRICT to, std::int64_t count) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t i = 0; i < count; i += 4 * lanes) {
        auto sum0 = hn::Zero(d);
        auto sum1 = hn::Zero(d);
        auto sum2 = hn::Zero(d);
        auto sum3 = hn::Zero(d);
        const T* from = row + i;
        for (std::int64_t t = 0; t < tap_count; ++t, from += stride) {
            const auto tap = hn::Set(d, taps[t]);
            sum0 = hn::MulAdd(tap, hn::LoadU(d, from), sum0);
            sum1 = hn::MulAdd(tap, hn::LoadU(d, from + lanes), sum1);
            sum2 = hn::MulAdd(tap, hn::LoadU(d, from + 2 * lanes), sum2);
            sum3 = hn::MulAdd(tap, hn::LoadU(d, from + 3 * lanes), sum3);
        }
        hn::StoreU(sum0, d, to + i);
        hn::StoreU(sum1, d, to + i + lanes);
        hn::StoreU(sum2, d, to + i + 2 * lanes);
        hn::StoreU(sum3, d, to + i + 3 * lanes);
    }
}

// Four rows of results at once, so that a row of samples is loaded for four: result row j is the sum over t of
// taps[t] * row (j + t). Rows are `pitch` apart, `width` long: whole pairs of vectors. Rows of results that are not
// wanted cost their arithmetic and need rows to read.
template <typename T>
HWY_INLINE void filter_four_rows(const T* HWY_RESTRICT rows, std::int64_t pitch, std::int64_t width,
                                 const T* HWY_RESTRICT taps, std::int64_t tap_count, T* HWY_RESTRICT to) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t x = 0; x < width; x += 2 * lanes) {
        auto a0 = hn::Zero(d), a1 = hn::Zero(d), b0 = hn::Zero(d), b1 = hn::Zero(d);
        auto c0 = hn::Zero(d), c1 = hn::Zero(d), e0 = hn::Zero(d), e1 = hn::Zero(d);
        const T* from = rows + x;
        // At the ends of the window only some of the four results take part.
        const auto add_where_due = [&](std::int64_t s) HWY_ATTR {
            const auto v0 = hn::LoadU(d, from + s * pitch);
            const auto v1 = hn::LoadU(d, from + s * pitch + lanes);
            const auto add = [&](std::int64_t t, auto& sum0, auto& sum1) HWY_ATTR {
                if (t >= 0 && t < tap_count) {
                    const auto tap = hn::Set(d, taps[t]);
                    sum0 = hn::MulAdd(tap, v0, sum0);
                    sum1 = hn::MulAdd(tap, v1, sum1);
                }
            };
            add(s, a0, a1);
            add(s - 1, b0, b1);
            add(s - 2, c0, c1);
            add(s - 3, e0, e1);
        };
        const std::int64_t inner_end = std::max<std::int64_t>(3, tap_count);
        for (std::int64_t s = 0; s < 3; ++s) {
            add_where_due(s);
        }
        const T* at = from + 3 * pitch;
        for (std::int64_t s = 3; s < inner_end; ++s, at += pitch) {
            const auto v0 = hn::LoadU(d, at);
            const auto v1 = hn::LoadU(d, at + lanes);
            const auto tap0 = hn::Set(d, taps[s]);
            a0 = hn::MulAdd(tap0, v0, a0);
            a1 = hn::MulAdd(tap0, v1, a1);
            const auto tap1 = hn::Set(d, taps[s - 1]);
            b0 = hn::MulAdd(tap1, v0, b0);
            b1 = hn::MulAdd(tap1, v1, b1);
            const auto tap2 = hn::Set(d, taps[s - 2]);
            c0 = hn::MulAdd(tap2, v0, c0);
            c1 = hn::MulAdd(tap2, v1, c1);
            const auto tap3 = hn::Set(d, taps[s - 3]);
            e0 = hn::MulAdd(tap3, v0, e0);
            e1 = hn::MulAdd(tap3, v1, e1);
        }
        for (std::int64_t s = inner_end; s < tap_count + 3; ++s) {
            add_where_due(s);
        }
        hn::StoreU(a0, d, to + x);
        hn::StoreU(a1, d, to + x + lanes);
        hn::StoreU(b0, d, to + x + pitch);
        hn::StoreU(b1, d, to + x + pitch + lanes);
        hn::StoreU(c0, d, to + x + 2 * pitch);
        hn::StoreU(c1, d, to + x + 2 * pitch + lanes);
        hn::StoreU(e0, d, to + x + 3 * pitch);
        hn::StoreU(e1, d, to + x + 3 * pitch + lanes);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
