#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace slab {

// What a process did to its files, in order, so that a test can put together every state that a power loss might have
// left (tests/harness/write_replay.py). Costs one test of a bool unless SLABD_RECORD_DIR is set: then each call appends
// one frame to DIR/PID.log. Call them right after the call they tell of has succeeded: a process that is killed in
// between leaves a write untold that no sync covers yet, as though it had not reached the disk.
//
// A frame is this head, the name, and (write) the data, in this machine's byte order.
struct RecordedFrame {
    std::uint64_t monotonic_ns;  // when the frame was made: after the call
    std::uint32_t kind;          // RecordedKind
    std::uint32_t name_bytes;    // rename: "FROM\0TO"
    std::uint64_t device;        // of the file; rename: of the folder
    std::uint64_t inode;
    std::int64_t
        offset;  // write: of its first byte; sync: ns at which it was begun; rename: inode of the file
    std::int64_t length;  // write: bytes of data that follow; truncate: the new length
};
static_assert(sizeof(RecordedFrame) == 48);

enum class RecordedKind : std::uint32_t { write = 1, truncate = 2, sync = 3, rename = 4, create = 5 };

// A new, empty file: whatever had its inode number before is gone.
void record_create(int descriptor);

void record_write(int descriptor, std::int64_t offset, std::span<const std::byte> data);
void record_truncate(int descriptor, std::int64_t length);
void record_rename(int folder, std::string_view from, std::string_view to);

// A sync vouches only for what was written before it was begun:
//     const std::uint64_t begun = record_sync_begin();
//     if (fdatasync(file) == 0) { record_sync(file, begun); }
std::uint64_t record_sync_begin();
void record_sync(int descriptor, std::uint64_t begun_ns);

}  // namespace slab
