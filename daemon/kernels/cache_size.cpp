#include "daemon/kernels/cache_size.hpp"

#include <unistd.h>

#include <algorithm>

namespace slab::kernels {

std::int64_t cached_scratch_bytes() {
    static const std::int64_t bytes = std::clamp<std::int64_t>(
        ::sysconf(_SC_LEVEL2_CACHE_SIZE) / 2, std::int64_t{512} * 1024, std::int64_t{1536} * 1024);
    return bytes;
}

std::int64_t first_cache_bytes() {
    static const std::int64_t bytes =
        std::max<std::int64_t>(::sysconf(_SC_LEVEL1_DCACHE_SIZE), std::int64_t{32} * 1024);
    return bytes;
}

}  // namespace slab::kernels
