#pragma once

#include <cstddef>

namespace slab::speed {

// Where what is read lies: rows of so many bytes, so far apart. 0: all in one run.
struct ReadRows {
    std::size_t bytes = 0;
    std::size_t pitch = 0;
};

// What a kernel that moves memory reaches at most: reads `read_bytes` at `from` and streams `written_bytes` to `to` past
// the caches, a little of each in turn, and computes nothing. 64-byte aligned, whole lines.
void read_and_stream(const std::byte* from, std::size_t read_bytes, std::byte* to, std::size_t written_bytes,
                     const ReadRows& rows = {});

}  // namespace slab::speed
