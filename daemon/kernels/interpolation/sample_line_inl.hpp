// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SAMPLE_LINE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SAMPLE_LINE
#undef SLAB_KERNELS_SAMPLE_LINE
#else
#define SLAB_KERNELS_SAMPLE_LINE
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

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
