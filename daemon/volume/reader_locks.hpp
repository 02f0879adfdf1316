#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <cstdint>
#include <vector>

namespace slab::daemon {

// Bytes [begin, end) of the volume.
struct ByteRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    bool operator==(const ByteRange&) const = default;
};

// read_write: of memory that is one user's alone, not of the volume.
enum class ReaderAccess : std::uint8_t { read_only, read_write };

// Opens the volume anew, read-only, and takes a read lock over the range on that open file description. The lock goes
// with the descriptor to the client: it is released by the kernel when the last descriptor and mapping of it are
// gone, whoever dies in whatever order. Taken here, before it is sent, so that there is no moment without it.
Expected<UniqueDescriptor> open_with_read_lock(int volume, ByteRange range,
                                               ReaderAccess access = ReaderAccess::read_only);

// The parts of a range that somebody holds a read lock on, merged and ascending.
std::vector<ByteRange> locked_parts(int volume, ByteRange range);

}  // namespace slab::daemon
