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
#include "daemon/kernels/windows/window_sum.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// A window's weights in the working type.
template <typename T>
HWY_INLINE void load_weights(const WindowAxis& window, std::span<const std::byte> table, T* to) {
    for (std::int64_t i = 0; i < window.taps; ++i) {
        double weight = 0.0;
        std::memcpy(&weight, table.data() + window.weights + 8 * i, sizeof(weight));
        to[i] = static_cast<T>(weight);
    }
}

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

// Rows of the source in the working type, a piece of each; where an axis is filtered within rows, its sums.
template <typename T>
class WindowRows {
  public:
    // window: null where the rows are not filtered. inner: parts of one of its indices. Pieces of at most so many parts.
    WindowRows(const WindowProgram& program, const WindowAxis* window, const ConstArrayView& source,
               std::span<const std::byte> table, std::int64_t inner, std::int64_t most_width,
               const Finish<T>& finish, ScratchParts& scratch)
        : program_(program), window_(window), inner_(inner), finish_(finish),
          places_(scratch.take<std::int64_t>(window == nullptr ? 1 : window->taps)),
          rows_(source, row_window(window, source, inner), program.boundary, places_) {
        if (window_ != nullptr) {
            samples_ = scratch.take<T>(most_width + (window_->taps - 1) * inner_ + slack());
            weights_ = scratch.take<T>(window_->taps);
            if (program_.kind == WindowKind::weights) {
                load_weights(*window_, table, weights_);
            }
        }
    }

    // What pieces of so many parts take of scratch beside the rows that are produced.
    static std::int64_t scratch_bytes(const WindowAxis* window, std::int64_t inner, std::int64_t width) {
        constexpr auto part = static_cast<std::int64_t>(sizeof(T));
        return window == nullptr ? 64
                                 : (width + (window->taps - 1) * inner + slack()) * part +
                                       window->taps * (8 + part) + 3 * 64;
    }

    // In parts; whole indices where rows are filtered.
    void choose_piece(std::int64_t begin, std::int64_t end) {
        width_ = end - begin;
        rows_.choose_piece(begin, end);
    }

    // The row that begins with this part of the source, into `to`.
    HWY_INLINE const T* produce(std::int64_t row, T* HWY_RESTRICT to) const {
        if (window_ == nullptr) {
            rows_.load(row, to);
            return to;
        }
        const T* samples = samples_;
        const bool is_long_mean = program_.kind == WindowKind::mean && window_->taps > most_short_window;
        if (rows_.is_in_source() && width_ >= 4 * row_step<T>(1) && !is_long_mean) {
            samples = rows_.in_source(row);
        } else {
            rows_.load(row, samples_);
            // Sums of whole vectors read on: not what happens to lie there, which may be slow to compute with.
            std::fill_n(samples_ + rows_.length(), slack(), T(0));
        }
        const bool is_cut = program_.whole_numbers == WholeNumbers::cut;
        if (program_.kind == WindowKind::weights && is_cut) {
            weigh_and_cut<T>(
                program_, *window_, weights_, [&](std::int64_t i) { return samples + i * inner_; }, to,
                width_);
        } else if (program_.kind == WindowKind::weights) {
            weigh_along_row(samples, weights_, window_->taps, inner_, to, width_);
        } else {
            if (is_long_mean) {
                add_along_row(samples_, window_->taps, inner_, finish_, to, width_);
            } else {
                add_short_along_row(samples, window_->taps, inner_, finish_, to, width_);
            }
            if (is_cut) {
                divide_and_cut(to, width_, window_->taps, program_.element);
            }
        }
        return to;
    }

    // Rows that are not filtered need not be copied to be summed up.
    bool may_stay_in_source() const {
        return window_ == nullptr && rows_.is_working_type() && width_ >= 4 * row_step<T>(1);
    }
    const T* in_source(std::int64_t row) const { return rows_.in_source(row); }

    std::int64_t width() const { return width_; }

  private:
    static std::int64_t slack() { return 4 * row_step<T>(1); }

    static RowWindow row_window(const WindowAxis* window, const ConstArrayView& source, std::int64_t inner) {
        return window == nullptr ? RowWindow{}
                                 : RowWindow{source.shape[window->axis], inner, window->before, window->taps,
                                             window->beyond};
    }

    const WindowProgram& program_;
    const WindowAxis* window_;
    std::int64_t inner_;
    Finish<T> finish_;
    std::int64_t width_ = 0;
    std::int64_t* places_;
    ExtendedRows<T> rows_;
    T* samples_ = nullptr;
    T* weights_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
