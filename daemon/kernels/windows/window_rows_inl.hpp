// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WINDOW_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WINDOW_ROWS
#undef SLAB_KERNELS_WINDOW_ROWS
#else
#define SLAB_KERNELS_WINDOW_ROWS
#endif

#include "daemon/kernels/windows/extended_rows_inl.hpp"
#include "daemon/kernels/windows/row_sums_inl.hpp"
#include "daemon/kernels/windows/scratch_parts.hpp"
#include "daemon/kernels/windows/weighted_window_inl.hpp"

#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

template <typename T>
HWY_INLINE void cut_row(T* row, std::int64_t width, DType element) {
    with_element_type(element, [&]<typename Element>(Element) {
        for (std::int64_t x = 0; x < width; ++x) {
            row[x] = cut<Element>(row[x]);
        }
    });
}

// A weighted window as the definition has it to the last bit, for results that are cut off: there the last bit may
// decide. place(i): the row of sample i. Plain loops, which the compiler turns into vectors.
template <typename T, class Place>
HWY_INLINE void weigh_and_cut(const WindowProgram& program, const WindowAxis& window, const T* weights,
                              const Place& place, T* HWY_RESTRICT to, std::int64_t width) {
    const std::int64_t middle = window.taps / 2;
    const T* HWY_RESTRICT row = place(middle);
    for (std::int64_t x = 0; x < width; ++x) {
        to[x] = row[x] * weights[middle];
    }
    for (std::int64_t i = 0; i < middle; ++i) {
        const T* HWY_RESTRICT one = place(i);
        const T* HWY_RESTRICT other = place(window.taps - 1 - i);
        const T sign = window.symmetry == Symmetry::even ? T(1) : T(-1);
        const T weight = weights[i];
        for (std::int64_t x = 0; x < width; ++x) {
            to[x] += (one[x] + sign * other[x]) * weight;
        }
    }
    cut_row(to, width, program.element);
}

// The mean of a sum, cut off.
template <typename T>
HWY_INLINE void divide_and_cut(T* row, std::int64_t width, std::int64_t taps, DType element) {
    const auto count = static_cast<T>(taps);
    for (std::int64_t x = 0; x < width; ++x) {
        row[x] = row[x] / count;
    }
    cut_row(row, width, element);
}

// A piece of each row of the source, extended by what windows along the row reach to; and their sums.
template <typename T>
class WindowRows {
  public:
    // window: null where nothing is filtered along rows. inner: parts of one of its indices. beyond: with the mode constant.
    WindowRows(const WindowProgram& program, const WindowAxis* window, double beyond,
               const ConstArrayView& source, std::span<const std::byte> table, std::int64_t inner,
               const Finish<T>& finish, ScratchParts& scratch)
        : program_(program), window_(window), beyond_(beyond), parts_(parts_of(source.dtype)), inner_(inner),
          finish_(finish), places_(scratch.take<std::int64_t>(window == nullptr ? 1 : window->taps)),
          rows_(source, row_window(window, beyond, source, inner), program.boundary, places_) {
        if (window_ != nullptr) {
            T* const weights = scratch.take<T>(window_->taps);
            if (program_.kind == WindowKind::weights) {
                weighted_.emplace(*window_, table, weights);
            }
        }
    }

    static std::int64_t scratch_bytes(const WindowAxis* window) {
        return (window == nullptr ? 1 : window->taps) * (8 + static_cast<std::int64_t>(sizeof(T))) + 2 * 64;
    }

    // In parts; whole indices where rows are filtered.
    void choose_piece(std::int64_t begin, std::int64_t end) {
        width_ = end - begin;
        rows_.choose_piece(begin, end);
    }

    std::int64_t width() const { return width_; }           // of sums along the row
    std::int64_t length() const { return rows_.length(); }  // of what they are sums of

    // Whether rows may be summed up where they lie in the source: along the row, or with each other, in which case the sums
    // are extended as the rows would have been.
    bool may_stay_in_source() const { return rows_.is_in_source() && width_ >= 4 * row_step<T>(1); }
    bool may_be_extended() const {
        return (rows_.is_in_source() || rows_.may_be_extended()) &&
               std::min(width_, rows_.length_in_source()) >= 4 * row_step<T>(1);
    }
    const T* in_source(std::int64_t row) const { return rows_.in_source(row); }
    std::int64_t length_in_source() const { return rows_.length_in_source(); }
    std::int64_t begin_in_source() const { return rows_.begin_in_source(); }
    // Of `rows` rows that lie `pitch` apart.
    HWY_INLINE void extend_each(T* row, std::int64_t pitch, std::int64_t rows) const {
        rows_.extend_each(row, pitch, rows);
    }

    HWY_INLINE void ask_for(std::int64_t row) const { rows_.ask_for(row); }
    // As ask_for(row) of each of `rows` rows, `pitch` apart, but line by line.
    LinesAhead::Rows lines_of(std::int64_t row, std::int64_t pitch, std::int64_t rows) const {
        return {rows_.begin_of(row), pitch * rows_.part_bytes(),
                rows_.length_in_source() * rows_.part_bytes(), rows};
    }

    // The extended row that begins with this part of the source. Whole vectors of it may be read.
    HWY_INLINE void load(std::int64_t row, T* HWY_RESTRICT to) const {
        rows_.load(row, to);
        pad(to);
    }
    // A row that lies beyond.
    void load_beyond(T* to) const {
        place_beyond(to, length(), parts_, beyond_);
        pad(to);
    }

    bool is_overwritten_by_sums() const {
        return program_.kind == WindowKind::mean && window_ != nullptr && window_->taps > most_short_window;
    }

    // The sums along an extended row, which may be overwritten. leaves_for: see InScratchLeaving; only where may_stream().
    HWY_INLINE void sum(T* samples, T* HWY_RESTRICT to, T* leaves_for = nullptr) const {
        if (is_overwritten_by_sums()) {
            add_along_row(samples, window_->taps, inner_, finish_, to, width_);
            cut_where_due(to);
        } else {
            sum_unchanged(samples, to, leaves_for);
        }
    }
    HWY_INLINE void sum_unchanged(const T* samples, T* HWY_RESTRICT to, T* leaves_for = nullptr) const {
        if (program_.kind == WindowKind::mean) {
            add_short_along_row(samples, window_->taps, inner_, finish_, InScratch<T>{to}, width_);
            cut_where_due(to);
        } else if (program_.whole_numbers == WholeNumbers::cut) {
            weigh_and_cut<T>(
                program_, *window_, weighted_->weights(),
                [&](std::int64_t i) { return samples + i * inner_; }, to, width_);
        } else {
            weighted_->sum_along_row(samples, inner_, InScratchLeaving<T>{to, leaves_for}, width_);
        }
    }

    // Whether sums are weighted ones, and nothing is done to them.
    bool are_weighted() const {
        return program_.kind == WindowKind::weights && program_.whole_numbers == WholeNumbers::rounded;
    }

    // Whether the sums of a piece can go past the caches as they are made.
    bool may_stream() const {
        return !is_overwritten_by_sums() && program_.whole_numbers != WholeNumbers::cut &&
               width_ % (4 * row_step<T>(1)) == 0;
    }
    // next: the part of the source with which the row begins that will be read soon.
    HWY_INLINE void stream_sum(const T* samples, T* to, std::int64_t next) const {
        const PastCaches<T> target{to, rows_.begin_of(next)};
        if (program_.kind == WindowKind::mean) {
            add_short_along_row(samples, window_->taps, inner_, finish_, target, width_);
        } else {
            weighted_->sum_along_row(samples, inner_, target, width_);
        }
    }

  private:
    static RowWindow row_window(const WindowAxis* window, double beyond, const ConstArrayView& source,
                                std::int64_t inner) {
        return window == nullptr
                   ? RowWindow{}
                   : RowWindow{source.shape[window->axis], inner, window->before, window->taps, beyond};
    }

    // Sums of whole vectors read on: not what happens to lie there, which may be slow to compute with.
    HWY_INLINE void pad(T* row) const { std::fill_n(row + length(), 4 * row_step<T>(1), T(0)); }

    HWY_INLINE void cut_where_due(T* row) const {
        if (program_.whole_numbers == WholeNumbers::cut) {
            divide_and_cut(row, width_, window_->taps, program_.element);
        }
    }

    const WindowProgram& program_;
    const WindowAxis* window_;
    double beyond_;
    std::int64_t parts_;
    std::int64_t inner_;
    Finish<T> finish_;
    std::int64_t width_ = 0;
    std::int64_t* places_;
    ExtendedRows<T> rows_;
    std::optional<WeightedWindow<T>> weighted_;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
