// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ROW_STEPS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ROW_STEPS
#undef SLAB_KERNELS_ROW_STEPS
#else
#define SLAB_KERNELS_ROW_STEPS
#endif

#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A lambda that is not put in place of its call would have the sums in memory.
#undef SLAB_IN_REGISTERS
#define SLAB_IN_REGISTERS HWY_ATTR __attribute__((always_inline))

// Rows in scratch may be read and written up to whole groups of four vectors. Rows that are not in scratch may not:
// where `width` is no multiple of a step, the last step begins earlier and does a part of its work twice, which is why
// nothing here works in place.
template <typename T>
HWY_INLINE std::int64_t row_step(int vectors) {
    return vectors * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

// Calls step(x) so that steps of `step` cover [begin, width). Of a width below one step: one step, in scratch alone.
template <class Step>
HWY_INLINE void for_steps_from(std::int64_t begin, std::int64_t width, std::int64_t step, const Step& visit) {
    std::int64_t x = begin;
    for (; x + step <= width; x += step) {
        visit(x);
    }
    if (x < width) {
        visit(std::max<std::int64_t>(0, width - step));
    }
}

// The same of [0, width).
template <class Step>
HWY_INLINE void for_steps(std::int64_t width, std::int64_t step, const Step& visit) {
    for_steps_from(0, width, step, visit);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
