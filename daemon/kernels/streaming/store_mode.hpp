#pragma once

#include <cstdint>

namespace slab::kernels {

// How a kernel stores its output. Streaming stores go past the caches: without them each line of the output
// would be read before it is written, and the input would be driven out. Of a small output they only delay
// the reader, who finds nothing in the cache.
enum class StoreMode : std::uint8_t { cached, streaming };

inline constexpr std::int64_t streaming_from_bytes = std::int64_t{1} << 20;

inline StoreMode store_mode_for(std::int64_t output_bytes) {
    return output_bytes > streaming_from_bytes ? StoreMode::streaming : StoreMode::cached;
}

}  // namespace slab::kernels
