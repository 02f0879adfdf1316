#pragma once

#include <cstdint>

namespace slab::kernels {

// What a tile may keep in its scratch and read again from the cache that is a CPU's own: half of it, within bounds that
// scratch and sense set. Where the system does not say how large it is: 512 KiB. Results never depend on it.
std::int64_t cached_scratch_bytes();

// The first-level cache of a CPU; 32 KiB where the system does not say.
std::int64_t first_cache_bytes();

}  // namespace slab::kernels
