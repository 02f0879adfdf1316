// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WINDOW_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WINDOW_ROWS
#undef SLAB_KERNELS_WINDOW_ROWS
#else
#define SLAB_KERNELS_WINDOW_ROWS
#endif

#include "daemon/kernels/interpolation/fir_inl.hpp"
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

// Rows of the source in the working type, a piece [begin, end) of parts of each; where an axis is filtered within rows,
// its sums.
template <typename T>
class WindowRows {
  public:
    // window: null where the rows are not filtered. inner: parts of one of its indices. n: its indices.
    WindowRows(const WindowProgram& program, const WindowAxis* window, const ConstArrayView& source,
               std::span<const std::byte> table, std::int64_t inner, std::int64_t most_width,
               const Finish<T>& finish, ScratchParts& scratch)
        : program_(program), window_(window), source_(source), inner_(inner), parts_(parts_of(source.dtype)),
          part_bytes_(static_cast<std::int64_t>(size_of(part_dtype(source.dtype)))), finish_(finish) {
        if (window_ != nullptr) {
            n_ = source.shape[window_->axis];
            before_ = window_->before * inner_;
            halo_ = (window_->taps - 1) * inner_;
            samples_ = scratch.take<T>(most_width + halo_ + 8 * row_step<T>(1));
            beyond_ = scratch.take<std::int64_t>(window_->taps);
            weights_ = scratch.take<T>(window_->taps);
            if (program_.kind == WindowKind::weights) {
                load_weights(*window_, table, weights_);
            }
        }
    }

    // What a row of so many parts takes of scratch beside the row itself.
    static std::int64_t scratch_bytes(const WindowAxis* window, std::int64_t inner, std::int64_t width) {
        return window == nullptr ? 0
                                 : (width + (window->taps - 1) * inner + 8 * row_step<T>(1)) *
                                           static_cast<std::int64_t>(sizeof(T)) +
                                       window->taps * 16 + 256;
    }

    // In parts; whole indices where rows are filtered.
    void choose_piece(std::int64_t begin, std::int64_t end) {
        begin_ = begin;
        width_ = end - begin;
        if (window_ == nullptr) {
            return;
        }
        first_ = begin / inner_ - window_->before;
        last_ = end / inner_ - window_->before + window_->taps - 1;
        loaded_begin_ = std::max<std::int64_t>(0, first_);
        loaded_end_ = std::min(n_, last_);
        // Where the samples beyond the ends are found: in the piece itself, or elsewhere in the source.
        std::int64_t* place = beyond_;
        for_each_beyond([&](std::int64_t i) {
            const auto at = map_index(i, n_, program_.boundary);
            if (!at) {
                *place++ = is_cval;
            } else {
                *place++ = *at >= loaded_begin_ && *at < loaded_end_ ? *at - first_ : -1 - *at;
            }
        });
    }

    // The row whose part 0 is part `row` of the source. Into `to`, or where it lies already.
    HWY_INLINE const T* produce(std::int64_t row, T* HWY_RESTRICT to) const {
        if (window_ == nullptr) {
            load_row(source_.data + (row + begin_) * part_bytes_, source_.dtype, to, width_);
            return to;
        }
        const bool is_in_place = source_is_working_type() && first_ >= 0 && last_ <= n_ &&
                                 width_ >= 4 * row_step<T>(1) && !is_overwritten();
        const T* samples = reinterpret_cast<const T*>(source_.data) + row + begin_ - before_;
        if (!is_in_place) {
            load_samples(row);
            samples = samples_;
        }
        const bool is_cut = program_.whole_numbers == WholeNumbers::cut;
        if (program_.kind == WindowKind::weights && is_cut) {
            weigh_and_cut<T>(
                program_, *window_, weights_, [&](std::int64_t i) { return samples + i * inner_; }, to,
                width_);
        } else if (program_.kind == WindowKind::weights) {
            weigh_along_row(samples, weights_, window_->taps, inner_, to, width_);
        } else {
            if (window_->taps <= most_short_window) {
                add_short_along_row(samples, window_->taps, inner_, finish_, to, width_);
            } else {
                add_along_row(samples_, window_->taps, inner_, finish_, to, width_);
            }
            if (is_cut) {
                divide_and_cut(to, width_, window_->taps, program_.element);
            }
        }
        return to;
    }

    // Rows that are not filtered need not be copied to be summed up.
    bool may_stay_in_source() const {
        return window_ == nullptr && source_is_working_type() && width_ >= 4 * row_step<T>(1);
    }
    const T* in_source(std::int64_t row) const {
        return reinterpret_cast<const T*>(source_.data) + row + begin_;
    }

    std::int64_t width() const { return width_; }
    std::int64_t parts() const { return parts_; }

  private:
    static constexpr std::int64_t is_cval = INT64_MIN;

    bool source_is_working_type() const {
        return part_dtype(source_.dtype) == (sizeof(T) == 4 ? DType::float32 : DType::float64);
    }
    bool is_overwritten() const {
        return program_.kind == WindowKind::mean && window_->taps > most_short_window;
    }

    template <class Visit>
    HWY_INLINE void for_each_beyond(const Visit& visit) const {
        for (std::int64_t i = first_; i < loaded_begin_; ++i) {
            visit(i);
        }
        for (std::int64_t i = loaded_end_; i < last_; ++i) {
            visit(i);
        }
    }

    void load_samples(std::int64_t row) const {
        const std::byte* const begin = source_.data + row * part_bytes_;
        if (loaded_begin_ < loaded_end_) {
            load_row(begin + loaded_begin_ * inner_ * part_bytes_, source_.dtype,
                     samples_ + (loaded_begin_ - first_) * inner_, (loaded_end_ - loaded_begin_) * inner_);
        }
        const std::int64_t* from = beyond_;
        for_each_beyond([&](std::int64_t i) HWY_ATTR {
            T* const to = samples_ + (i - first_) * inner_;
            if (*from >= 0) {
                for (std::int64_t part = 0; part < inner_; ++part) {
                    to[part] = samples_[*from * inner_ + part];
                }
            } else if (*from == is_cval) {
                place_beyond(to, inner_, parts_, window_->beyond);
            } else {
                load_row(begin + (-1 - *from) * inner_ * part_bytes_, source_.dtype, to, inner_);
            }
            ++from;
        });
        // Sums of whole vectors read on: not of what happens to lie there, which could be slow to compute with.
        std::fill_n(samples_ + (last_ - first_) * inner_, 4 * row_step<T>(1), T(0));
    }

    const WindowProgram& program_;
    const WindowAxis* window_;
    const ConstArrayView& source_;
    std::int64_t inner_;
    std::int64_t parts_;
    std::int64_t part_bytes_;
    Finish<T> finish_;
    std::int64_t n_ = 0;
    std::int64_t before_ = 0;  // in parts, as halo_
    std::int64_t halo_ = 0;
    std::int64_t begin_ = 0;
    std::int64_t width_ = 0;
    // Indices along the axis: [first_, last_) are the piece's windows, [loaded_begin_, loaded_end_) lie in the source.
    std::int64_t first_ = 0;
    std::int64_t last_ = 0;
    std::int64_t loaded_begin_ = 0;
    std::int64_t loaded_end_ = 0;
    T* samples_ = nullptr;
    std::int64_t* beyond_ = nullptr;
    T* weights_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
