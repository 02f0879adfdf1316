// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SUM_PLACES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SUM_PLACES
#undef SLAB_KERNELS_SUM_PLACES
#else
#define SLAB_KERNELS_SUM_PLACES
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <array>
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

// Rows that will be read soon.
struct NextRows {
    static constexpr int most = 4;

    std::array<const std::byte*, most> rows{};
    int count = 0;
    std::int64_t element_bytes = 0;
};

// In scratch, and meanwhile these come nearer: with each vector as much of each, because many prefetches at once wait for
// each other.
template <typename T>
struct InScratchAsking {
    T* to;
    const NextRows& next;

    template <class V>
    HWY_INLINE void put(V sum, std::int64_t x) const {
        for (int row = 0; row < next.count; ++row) {
            __builtin_prefetch(next.rows[static_cast<std::size_t>(row)] + x * next.element_bytes, 0, 2);
        }
        hn::StoreU(sum, hn::DFromV<V>(), to + x);
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
