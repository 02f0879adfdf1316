#pragma once

#include <cstddef>
#include <cstdint>

namespace slab::daemon {

// Reverses the bytes of each unit of 2, 4 or 8 bytes, in place. `begin` need not be aligned.
void swap_bytes(std::byte* begin, std::int64_t bytes, int unit);

}  // namespace slab::daemon
