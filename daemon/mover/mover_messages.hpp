#pragma once

#include "daemon/volume/volume_space.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace slab::daemon {

// What supervisor and mover say to each other: one plain record a packet, a file's header bytes behind an order.

inline constexpr std::size_t most_mover_inputs = 16;
inline constexpr std::size_t longest_file_header = 64 * 1024;

enum class MoverOrderKind : std::uint8_t {
    check,    // with the descriptors: fstat the inputs, reserve the output's space. Starts a job
    load,     // read one band's part of the inputs into the volume. Several may wait; they are done in order
    write,    // write one band's part of the output; likewise
    segment,  // with a descriptor: the output lies in it, output.bytes long, and not in the volume
    seal,     // everything is written: put it on disk, then the header bytes at offset 0, then those too
    finish,   // close the descriptors; the next order is another job's check
    cancel,   // stop as soon as no request is under way, empty the output, and say so
};

enum class Codec : std::uint8_t { none, gzip };

// Which file it is and in which version: an interrupted job goes on only with the same inputs.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t modified_ns = 0;
    std::uint32_t is_anonymous =
        0;  // memory, or a file without a name: gone with the last process that has it
    bool operator==(const FileIdentity&) const = default;

    bool is_same_file(const FileIdentity& other) const {
        return device == other.device && inode == other.inode;
    }
};

struct InputBytes {
    std::int64_t file_offset = 0;    // of a gzip file: in what it inflates to
    std::int64_t bytes = 0;          // 0: nothing of this input
    std::int64_t volume_offset = 0;  // congruent to file_offset modulo 4096; valid for load
    std::int64_t copy_from = 0;      // the first copy_bytes are in the volume already, with the band before
    std::int64_t copy_bytes = 0;
    std::int32_t swap_unit = 1;  // bytes of a unit in the other byte order; 1: nothing to swap
    Codec codec = Codec::none;
};

struct OutputBytes {
    std::int64_t file_offset = 0;
    std::int64_t bytes = 0;
    std::int64_t volume_offset = 0;   // valid for write
    std::uint32_t is_sequential = 0;  // a pipe, or to be treated as one: header, then payload, in order
    // check: parts of it may be written already. It is not emptied when the check fails, and a full disk shows while
    // writing.
    std::uint32_t is_begun = 0;
};

// The descriptors of check: one for each input, then the output's if there is one.
struct MoverOrder {
    MoverOrderKind kind = MoverOrderKind::check;
    JobId job = 0;
    std::int64_t band = 0;  // load, write: given back in the report
    std::uint32_t input_count = 0;
    std::uint32_t has_output = 0;
    // The supervisor watches the mover's ring; without that a ring is not safe.
    std::uint32_t may_use_ring = 0;
    std::array<InputBytes, most_mover_inputs> inputs{};
    OutputBytes output{};
    std::uint32_t header_bytes = 0;  // seal; of a sequential output: its first write
};

enum class MoverReportKind : std::uint8_t {
    ready,
    checked,
    progress,
    loaded,    // one band
    written,   // one band
    no_space,  // check, write: the file system is full. Nothing is lost, the order may be given again
    sealed,
    failed,  // orders that still wait are dropped, the output is emptied
    cancelled,
};

// What a mover tells once, when it starts: where its ring counts, so that the supervisor (which takes a copy of the
// ring's descriptor) can see when the requests of a dead mover have drained.
struct RingPlaces {
    std::int32_t descriptor = -1;  // in the mover; negative: no io_uring here
    std::uint32_t mapped_bytes = 0;
    std::uint32_t submitted_offset = 0;
    std::uint32_t completed_offset = 0;
};

struct MoverReport {
    MoverReportKind kind = MoverReportKind::ready;
    JobId job = 0;
    std::int64_t band = 0;
    std::int64_t bytes_loaded = 0;   // progress, loaded: of this job so far
    std::int64_t bytes_written = 0;  // progress, written: likewise
    RingPlaces ring{};
    std::array<char, 32> method{};                         // loaded, written: how the bytes moved, for people
    std::array<FileIdentity, most_mover_inputs> inputs{};  // checked
    FileIdentity output{};                                 // checked
    // failed, no_space:
    std::uint8_t error_kind = 0;
    std::array<char, 160> what{};
    std::array<char, 320> because{};
    std::array<char, 240> remedy{};
};

}  // namespace slab::daemon
