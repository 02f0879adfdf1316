// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_EXTENDED_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_EXTENDED_ROWS
#undef SLAB_KERNELS_EXTENDED_ROWS
#else
#define SLAB_KERNELS_EXTENDED_ROWS
#endif

#include "daemon/kernels/interpolation/sample_line_inl.hpp"
#include "daemon/kernels/windows/window_sum.hpp"

#include <hwy/cache_control.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// A row of results: as store_row, but that bools are rounded (those that are cut off are 0 or 1 already).
template <typename T>
HWY_INLINE void store_elements(const T* HWY_RESTRICT from, std::byte* HWY_RESTRICT to, DType dtype,
                               std::int64_t count) {
    if (dtype != DType::boolean) {
        store_row(from, to, dtype, count);
        return;
    }
    for (std::int64_t x = 0; x < count; ++x) {
        to[x] = static_cast<std::byte>(rounded_bool(from[x]));
    }
}

// The axis along which rows are extended: of its n indices, `inner` parts each, a window reads from `before` before its
// sample on, `taps` in all.
struct RowWindow {
    std::int64_t n = INT64_MAX;
    std::int64_t inner = 1;
    std::int64_t before = 0;
    std::int64_t taps = 1;
    double beyond = 0.0;  // with the mode constant
};

// A piece of each row of the source with what its windows reach to either side, also beyond the ends of the axis.
template <typename T>
class ExtendedRows {
  public:
    // places: window.taps of them.
    ExtendedRows(const ConstArrayView& source, const RowWindow& window, Boundary boundary,
                 std::int64_t* places)
        : source_(source), window_(window), boundary_(boundary), parts_(parts_of(source.dtype)),
          part_bytes_(static_cast<std::int64_t>(size_of(part_dtype(source.dtype)))), places_(places) {}

    // Of each row the parts [begin, end), whole indices of the axis.
    void choose_piece(std::int64_t begin, std::int64_t end) {
        first_ = begin / window_.inner - window_.before;
        last_ = end / window_.inner - window_.before + window_.taps - 1;
        loaded_begin_ = std::max<std::int64_t>(0, first_);
        loaded_end_ = std::min(window_.n, last_);
        std::int64_t* place = places_;
        are_beyond_in_piece_ = true;
        for_each_beyond([&](std::int64_t i) {
            const auto at = map_index(i, window_.n, boundary_);
            if (!at) {
                *place++ = is_constant;
            } else {
                *place++ = *at >= loaded_begin_ && *at < loaded_end_ ? *at - first_ : -1 - *at;
            }
            are_beyond_in_piece_ = are_beyond_in_piece_ && place[-1] >= 0;
        });
    }

    // Parts of the piece with its windows.
    std::int64_t length() const { return (last_ - first_) * window_.inner; }

    bool is_working_type() const {
        return part_dtype(source_.dtype) == (sizeof(T) == 4 ? DType::float32 : DType::float64);
    }
    // Whether all of it lies in the source as it is wanted.
    bool is_in_source() const { return is_working_type() && first_ >= 0 && last_ <= window_.n; }

    // Whether what lies in the source is all that is needed: extend() makes the rest, of the piece itself or of sums of
    // such pieces.
    bool may_be_extended() const { return is_working_type() && are_beyond_in_piece_ && window_.inner == 1; }
    // Of the piece: what lies in the source, and how much of it lies before that.
    std::int64_t length_in_source() const { return (loaded_end_ - loaded_begin_) * window_.inner; }
    std::int64_t begin_in_source() const { return (loaded_begin_ - first_) * window_.inner; }
    // row: the part of the source with which the row begins.
    const T* in_source(std::int64_t row) const { return reinterpret_cast<const T*>(begin_of(row)); }

    // What lies beyond the ends, where may_be_extended(), of `rows` pieces that lie `pitch` apart.
    HWY_INLINE void extend_each(T* pieces, std::int64_t pitch, std::int64_t rows) const {
        const std::int64_t* place = places_;
        for_each_beyond([&](std::int64_t i) HWY_ATTR {
            const T* const from = pieces + *place++;
            T* const to = pieces + i - first_;
            for (std::int64_t row = 0; row < rows; ++row) {
                to[row * pitch] = from[row * pitch];
            }
        });
    }

    std::int64_t part_bytes() const { return part_bytes_; }

    // Where the piece of a row begins, as far as it lies in the source.
    const std::byte* begin_of(std::int64_t row) const {
        return source_.data + (row + loaded_begin_ * window_.inner) * part_bytes_;
    }

    // Asks for a row that will be read soon: pieces of rows are too short for the processor to guess the next one.
    HWY_INLINE void ask_for(std::int64_t row) const {
        const std::byte* const begin = source_.data + (row + loaded_begin_ * window_.inner) * part_bytes_;
        const std::int64_t bytes = (loaded_end_ - loaded_begin_) * window_.inner * part_bytes_;
        for (std::int64_t at = 0; at < bytes; at += 64) {
            __builtin_prefetch(begin + at, 0, 2);
        }
    }

    void load(std::int64_t row, T* HWY_RESTRICT to) const {
        const std::int64_t inner = window_.inner;
        const std::byte* const begin = source_.data + row * part_bytes_;
        load_row(begin + loaded_begin_ * inner * part_bytes_, source_.dtype,
                 to + (loaded_begin_ - first_) * inner, (loaded_end_ - loaded_begin_) * inner);
        if (are_beyond_in_piece_ && inner == 1) {
            extend_each(to, 0, 1);
            return;
        }
        const std::int64_t* place = places_;
        for_each_beyond([&](std::int64_t i) HWY_ATTR {
            T* const sample = to + (i - first_) * inner;
            if (*place >= 0) {
                for (std::int64_t part = 0; part < inner; ++part) {
                    sample[part] = to[*place * inner + part];
                }
            } else if (*place == is_constant) {
                place_beyond(sample, inner, parts_, window_.beyond);
            } else {
                load_row(begin + (-1 - *place) * inner * part_bytes_, source_.dtype, sample, inner);
            }
            ++place;
        });
    }

  private:
    // A sample beyond an end: its place in the piece, or -1 - its index in the source, or none.
    static constexpr std::int64_t is_constant = INT64_MIN;

    template <class Visit>
    HWY_INLINE void for_each_beyond(const Visit& visit) const {
        for (std::int64_t i = first_; i < loaded_begin_; ++i) {
            visit(i);
        }
        for (std::int64_t i = loaded_end_; i < last_; ++i) {
            visit(i);
        }
    }

    const ConstArrayView& source_;
    RowWindow window_;
    Boundary boundary_;
    std::int64_t parts_;
    std::int64_t part_bytes_;
    std::int64_t* places_;
    // Indices along the axis: [first_, last_) are the piece's windows, [loaded_begin_, loaded_end_) lie in the source.
    std::int64_t first_ = 0;
    std::int64_t last_ = 0;
    std::int64_t loaded_begin_ = 0;
    std::int64_t loaded_end_ = 0;
    bool are_beyond_in_piece_ = false;  // all samples beyond the ends are some that lie in the piece
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
