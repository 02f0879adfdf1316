#pragma once

#include <cstddef>

namespace slab::speed {

// What a kernel that moves memory reaches at most: reads `read_bytes` at `from` and streams `written_bytes` to `to` past
// the caches, a little of each in turn, and computes nothing. 64-byte aligned, whole lines.
void read_and_stream(const std::byte* from, std::size_t read_bytes, std::byte* to, std::size_t written_bytes);

}  // namespace slab::speed
