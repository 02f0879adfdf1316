// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WINDOW_LEVEL) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WINDOW_LEVEL
#undef SLAB_KERNELS_WINDOW_LEVEL
#else
#define SLAB_KERNELS_WINDOW_LEVEL
#endif

#include "daemon/kernels/windows/window_rows_inl.hpp"

#include <bit>
#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Sums of layers along one axis that is slower than the rows: of rows, or of blocks of rows one behind the other. Layers
// are produced in order, once for each tile, and kept in a ring as long as a window needs them.
template <typename T>
class WindowLevel {
  public:
    static constexpr std::int64_t beyond = -1;  // in place of a layer's index

    WindowLevel(const WindowProgram& program, const WindowAxis& window, std::int64_t n,
                std::span<const std::byte> table, const Finish<T>& finish, ScratchParts& scratch)
        : program_(program), window_(window), n_(n), finish_(finish),
          capacity_(layers_kept(program, window)) {
        layers_ = scratch.take<const T*>(window.taps + rows_at_once - 1);
        in_window_ = scratch.take<const T*>(window.taps + rows_at_once - 1);
        T* const weights = scratch.take<T>(window.taps);
        if (program_.kind == WindowKind::weights) {
            weighted_.emplace(window_, table, weights);
        }
    }

    static bool is_long_mean(const WindowProgram& program, const WindowAxis& window) {
        return program.kind == WindowKind::mean && window.taps > most_short_window;
    }
    static std::int64_t layers_kept(const WindowProgram& program, const WindowAxis& window) {
        if (is_long_mean(program, window)) {
            return window.taps + std::bit_width(static_cast<std::uint64_t>(window.taps));
        }
        return window.taps + at_once(program) - 1;
    }
    static std::int64_t scratch_bytes(const WindowAxis& window) {
        return window.taps * (2 * 8 + static_cast<std::int64_t>(sizeof(T))) + 2 * 8 * rows_at_once + 3 * 64;
    }

    // The sum of index i needs layers up to i + reach(), with those that are made together with it.
    std::int64_t reach() const { return window_.taps - 1 - window_.before + at_once(program_) - 1; }

    // The layers' rows: `rows` of them, `pitch` apart, `width` wanted. memory: layers_kept() * rows * pitch.
    void choose_layers(T* memory, std::int64_t rows, std::int64_t pitch, std::int64_t width) {
        memory_ = memory;
        rows_ = rows;
        pitch_ = pitch;
        width_ = width;
        layer_ = rows * pitch;
    }

    // Where results go. in_dead_layers: into layers of the ring that no later window needs.
    enum class Results : std::uint8_t { cached, past_caches, in_dead_layers };

    // Whether results can go elsewhere than to rows in scratch, as they are made.
    bool may_leave_scratch() const { return at_once(program_) > 1 && width_ % (2 * row_step<T>(1)) == 0; }
    void choose_results(Results results) { results_ = results; }

    std::int64_t taps() const { return window_.taps; }
    // Where the window of index `begin` has sample `s`, or beyond.
    std::int64_t source_index(std::int64_t begin, std::int64_t s) const {
        return map_index(begin - window_.before + s, n_, program_.boundary).value_or(beyond);
    }
    // Where sums are weighted ones.
    const WeightedWindow<T>& weighted() const { return *weighted_; }

    // Whether lines that will be read soon can be asked for while fill() makes sums of cached rows; and those.
    bool may_ask_meanwhile() const { return at_once(program_) > 1; }
    void ask_meanwhile(const Asking& asking) { asking_ = asking; }
    // Indices whose sums are made together, and the steps in which so many rows of sums are made, each index by itself.
    std::int64_t together() const { return at_once(program_); }
    std::int64_t steps_of(std::int64_t indices, std::int64_t width) const {
        const std::int64_t steps_of_row = (width - 1) / (2 * row_step<T>(1)) + 1;
        return may_ask_meanwhile() ? ((indices - 1) / together() + 1) * steps_of_row : indices;
    }

    // Fills indices [begin, end). produce(i, to, left): layer i of the source, or one that lies beyond, into `to` or where
    // the result says; left: the index whose results lie in `to` and have to leave first, or none.
    // place(i, row): where row `row` of the sums goes; done(i, count, row): it is there, and so are those of the next indices
    // that were made together with it, `count` in all. Indices rise, by rows_at_once at the most.
    // Of results in dead layers leave(i, row, from) is told those that no layer took the place of.
    static constexpr std::int64_t none = -1;

    template <class Produce, class Place, class Done, class Leave>
    HWY_INLINE void fill(std::int64_t begin, std::int64_t end, const Produce& produce, const Place& place,
                         const Done& done, const Leave& leave) {
        if (is_long_mean(program_, window_)) {
            fill_long_mean(begin, end, produce, place, done);
            return;
        }
        const std::int64_t base = begin - window_.before;
        const std::int64_t at_once = WindowLevel::at_once(program_);
        std::int64_t next = base;
        std::int64_t next_slot = 0;   // (next - base) % capacity_
        std::int64_t first_slot = 0;  // (i - begin) % capacity_
        for (std::int64_t i = begin; i < end; i += at_once) {
            const std::int64_t count = std::min(at_once, end - i);
            const std::int64_t last = i + count - 1 - window_.before + window_.taps - 1;
            for (; next <= last; ++next) {
                const std::int64_t left = next - capacity_ + window_.before;
                const bool is_left = results_ == Results::in_dead_layers && left >= begin;
                layers_[next_slot] =
                    source_layer(next, memory_ + next_slot * layer_, is_left ? left : none, produce);
                next_slot = next_slot + 1 == capacity_ ? 0 : next_slot + 1;
            }
            std::int64_t slot = first_slot;
            T* dead[rows_at_once];
            for (std::int64_t j = 0; j < at_once; ++j) {
                dead[j] = memory_ + first_slot * layer_;
                first_slot = first_slot + 1 == capacity_ ? 0 : first_slot + 1;
            }
            for (std::int64_t s = 0; s < window_.taps + at_once - 1; ++s) {
                in_window_[s] = layers_[slot];
                if (i - window_.before + s < last && ++slot == capacity_) {
                    slot = 0;
                }
            }
            for (std::int64_t row = 0; row < rows_; ++row) {
                if (results_ == Results::in_dead_layers) {
                    sum_row(i, count, row, [&](std::int64_t index, std::int64_t r) HWY_ATTR {
                        return dead[index - i] + r * pitch_;
                    });
                    continue;
                }
                sum_row(i, count, row, place);
                done(i, count, row);
            }
        }
        if (results_ == Results::in_dead_layers) {
            for (std::int64_t i = std::max(begin, next - capacity_ + window_.before); i < end; ++i) {
                for (std::int64_t row = 0; row < rows_; ++row) {
                    leave(i, row, memory_ + (i - begin) % capacity_ * layer_ + row * pitch_);
                }
            }
        }
    }

  private:
    // Indices whose sums are made together.
    static std::int64_t at_once(const WindowProgram& program) {
        const bool are_many =
            program.kind == WindowKind::weights && program.whole_numbers == WholeNumbers::rounded;
        return are_many ? rows_at_once : 1;
    }

    template <class Produce>
    HWY_INLINE const T* source_layer(std::int64_t i, T* to, std::int64_t left, const Produce& produce) const {
        return produce(map_index(i, n_, program_.boundary).value_or(beyond), to, left);
    }

    template <class Place>
    HWY_INLINE void sum_row(std::int64_t i, std::int64_t count, std::int64_t row, const Place& place) {
        const std::int64_t offset = row * pitch_;
        if (at_once(program_) > 1) {
            T* to[rows_at_once] = {};
            for (std::int64_t j = 0; j < count; ++j) {
                to[j] = place(i + j, row);
            }
            if (results_ == Results::past_caches) {
                weighted_->template sum_rows<StoreMode::streaming>(in_window_, offset, count, to, width_);
            } else if (asking_.lines != nullptr) {
                weighted_->template sum_rows<StoreMode::cached>(in_window_, offset, count, to, width_,
                                                                asking_);
            } else {
                weighted_->template sum_rows<StoreMode::cached>(in_window_, offset, count, to, width_);
            }
        } else if (program_.kind == WindowKind::weights) {
            weigh_and_cut<T>(
                program_, window_, weighted_->weights(),
                [&](std::int64_t s) { return in_window_[s] + offset; }, place(i, row), width_);
        } else {
            add_short_rows(in_window_, offset, window_.taps, finish_, place(i, row), width_);
            cut_where_due(place(i, row));
        }
    }

    HWY_INLINE void cut_where_due(T* row) const {
        if (program_.whole_numbers == WholeNumbers::cut) {
            divide_and_cut(row, width_, window_.taps, program_.element);
        }
    }

    // Beside the layers themselves those of sums of 2, 4, 8, ... neighbours, each as long as the next longer one, or the
    // window, needs it.
    template <class Produce, class Place, class Done>
    HWY_INLINE void fill_long_mean(std::int64_t begin, std::int64_t end, const Produce& produce,
                                   const Place& place, const Done& done) {
        const int longest = std::bit_width(static_cast<std::uint64_t>(window_.taps)) - 1;
        const std::int64_t base = begin - window_.before;
        const std::int64_t longest_kept = window_.taps - (std::int64_t{1} << longest) + 1;
        // Sums of 2^k layers: where that which begins with layer i lies.
        const auto run_at = [&](int k, std::int64_t i) {
            const std::int64_t kept = k == longest ? longest_kept : (std::int64_t{1} << k) + 1;
            const std::int64_t earlier = (std::int64_t{1} << k) - 1 + k;  // layers of the shorter sums
            return memory_ + (earlier + (i - base) % kept) * layer_;
        };
        const std::int64_t behind = window_.taps - 1 - window_.before;
        for (std::int64_t next = base; next < end + behind; ++next) {
            T* const first = run_at(0, next);
            const T* const layer = source_layer(next, first, none, produce);
            if (layer != first) {
                std::memcpy(first, layer, static_cast<std::size_t>(layer_) * sizeof(T));
            }
            for (int k = 1; k <= longest; ++k) {
                const std::int64_t i = next - (std::int64_t{1} << k) + 1;
                if (i < base) {
                    break;
                }
                add_rows(run_at(k - 1, i), run_at(k - 1, i + (std::int64_t{1} << (k - 1))), run_at(k, i),
                         layer_);
            }
            const std::int64_t i = next - behind;
            if (i < begin) {
                continue;
            }
            int count = 0;
            std::int64_t at = i - window_.before;
            for (int k = longest; k >= 0; --k) {
                if ((window_.taps >> k & 1) != 0) {
                    in_window_[count++] = run_at(k, at);
                    at += std::int64_t{1} << k;
                }
            }
            for (std::int64_t row = 0; row < rows_; ++row) {
                add_runs(in_window_, row * pitch_, count, finish_, place(i, row), width_);
                cut_where_due(place(i, row));
                done(i, 1, row);
            }
        }
    }

    const WindowProgram& program_;
    const WindowAxis& window_;
    std::int64_t n_;
    Finish<T> finish_;
    std::int64_t capacity_;
    const T** layers_ = nullptr;
    const T** in_window_ = nullptr;
    std::optional<WeightedWindow<T>> weighted_;
    T* memory_ = nullptr;
    std::int64_t rows_ = 0;
    std::int64_t pitch_ = 0;
    std::int64_t width_ = 0;
    std::int64_t layer_ = 0;
    Results results_ = Results::cached;
    Asking asking_;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
