// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_STORE_RUN) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_STORE_RUN
#undef SLAB_KERNELS_STORE_RUN
#else
#define SLAB_KERNELS_STORE_RUN
#endif

#include "daemon/kernels/streaming/store_mode.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Bytes from `to` to the next address where a whole vector may be streamed.
HWY_INLINE std::size_t bytes_to_alignment(const std::byte* to, std::size_t vector_bytes) {
    return static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(to)) & (vector_bytes - 1);
}

// Copies a run of bytes. Streaming: whole aligned vectors go past the cache, the ragged head and tail through
// it (a partial streaming store costs a read and a write of the whole line in memory).
HWY_INLINE void store_run(const std::byte* from, std::byte* to, std::size_t bytes, StoreMode mode) {
    const hn::ScalableTag<std::uint8_t> d;
    const std::size_t n = hn::Lanes(d);
    if (mode == StoreMode::cached || bytes < 2 * n) {
        std::memcpy(to, from, bytes);
        return;
    }
    const std::size_t head = bytes_to_alignment(to, n);
    if (head != 0) {  // seldom, and a call of nothing costs as much as a vector
        std::memcpy(to, from, head);
    }
    const auto* source = reinterpret_cast<const std::uint8_t*>(from);
    auto* target = reinterpret_cast<std::uint8_t*>(to);
    std::size_t i = head;
    for (; i + 4 * n <= bytes; i += 4 * n) {
        const auto v0 = hn::LoadU(d, source + i);
        const auto v1 = hn::LoadU(d, source + i + n);
        const auto v2 = hn::LoadU(d, source + i + 2 * n);
        const auto v3 = hn::LoadU(d, source + i + 3 * n);
        hn::Stream(v0, d, target + i);
        hn::Stream(v1, d, target + i + n);
        hn::Stream(v2, d, target + i + 2 * n);
        hn::Stream(v3, d, target + i + 3 * n);
    }
    for (; i + n <= bytes; i += n) {
        hn::Stream(hn::LoadU(d, source + i), d, target + i);
    }
    if (i != bytes) {
        std::memcpy(to + i, from + i, bytes - i);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
