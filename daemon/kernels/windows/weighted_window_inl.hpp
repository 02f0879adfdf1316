// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WEIGHTED_WINDOW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WEIGHTED_WINDOW
#undef SLAB_KERNELS_WEIGHTED_WINDOW
#else
#define SLAB_KERNELS_WEIGHTED_WINDOW
#endif

#include "daemon/kernels/windows/palindrome_sums_inl.hpp"
#include "daemon/kernels/windows/window_sum.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// A window's weights, and the fastest loops that there are for them: all of them add the same numbers in the same order.
template <typename T>
class WeightedWindow {
  public:
    // weights: room for window.taps. table: as for load_weights.
    WeightedWindow(const WindowAxis& window, std::span<const std::byte> table, T* weights)
        : weights_(weights), taps_(window.taps) {
        load_weights(window, table, weights);
        is_palindrome_ = has_palindrome_sums(weights_, taps_);
    }

    const T* weights() const { return weights_; }

    // See weigh_rows.
    template <StoreMode mode, class Meanwhile = NotAsking>
    HWY_INLINE void sum_rows(const T* const* rows, std::int64_t offset, std::int64_t count, T* const* to,
                             std::int64_t width, const Meanwhile& meanwhile = {}) const {
#if SLAB_VECTORS_ARE_LINES
        if constexpr (sizeof(T) == 4) {
            if (is_palindrome_) {
                weigh_palindrome_rows<mode>(rows, offset, weights_, taps_, count, to, width, meanwhile);
                return;
            }
        }
#endif
        weigh_rows<mode>(rows, offset, weights_, taps_, count, to, width, meanwhile);
    }

    // See weigh_along_row.
    template <class Target>
    HWY_INLINE void sum_along_row(const T* row, std::int64_t stride, const Target& to,
                                  std::int64_t width) const {
#if SLAB_VECTORS_ARE_LINES
        if constexpr (sizeof(T) == 4) {
            if (is_palindrome_ && stride == 1) {
                weigh_along_palindrome_row(row, weights_, taps_, to, width);
                return;
            }
        }
#endif
        weigh_along_row(row, weights_, taps_, stride, to, width);
    }

  private:
    const T* weights_;
    std::int64_t taps_;
    bool is_palindrome_ = false;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
