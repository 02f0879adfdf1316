// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SUM_PLACES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SUM_PLACES
#undef SLAB_KERNELS_SUM_PLACES
#else
#define SLAB_KERNELS_SUM_PLACES
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where loops put the vectors of sums that they make, one after the other.

// Rows in scratch, or any that may be written twice.
template <typename T>
struct InScratch {
    T* to;

    template <class V>
    HWY_INLINE void put(V sum, std::int64_t x) const {
        hn::StoreU(sum, hn::DFromV<V>(), to + x);
    }
};

// In scratch; what lies there leaves for its place in the output first, past the caches, if it has one. Then in whole vectors,
// none of them written twice.
template <typename T>
struct InScratchLeaving {
    T* to;
    T* leaves_for = nullptr;

    template <class V>
    HWY_INLINE void put(V sum, std::int64_t x) const {
        const hn::DFromV<V> d;
        if (leaves_for != nullptr) {
            hn::Stream(hn::LoadU(d, to + x), d, leaves_for + x);
        }
        hn::StoreU(sum, d, to + x);
    }
};

// A piece of a row of the output, past the caches: aligned to a vector, whole vectors. Meanwhile as many bytes at `next`
// come nearer: with each vector a line, because many prefetches at once wait for each other, and so do many stores.
template <typename T>
struct PastCaches {
    T* to;
    const std::byte* next;

    template <class V>
    HWY_INLINE void put(V sum, std::int64_t x) const {
        __builtin_prefetch(next + x * static_cast<std::int64_t>(sizeof(T)), 0, 2);
        hn::Stream(sum, hn::DFromV<V>(), to + x);
    }
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
