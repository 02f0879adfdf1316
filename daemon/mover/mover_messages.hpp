#pragma once

#include "daemon/volume/volume_space.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace slab::daemon {

// What supervisor and mover say to each other: one plain record a packet, a file's header bytes behind an order.

inline constexpr std::size_t most_mover_inputs = 8;
inline constexpr std::size_t longest_file_header = 64 * 1024;

enum class MoverOrderKind : std::uint8_t {
    check,   // with the descriptors: fstat the inputs, reserve the output's space. Starts a job
    load,    // read the inputs into the volume
    flush,   // write the output, then the header bytes at offset 0
    finish,  // close the descriptors; the next order is another job's check
    cancel,  // stop as soon as no request is under way, empty the output, and say so
};

struct InputBytes {
    std::int64_t file_offset = 0;
    std::int64_t bytes = 0;
    std::int64_t volume_offset = 0;  // congruent to file_offset modulo 4096; valid for load
    std::int32_t swap_unit = 1;      // bytes of a unit in the other byte order; 1: nothing to swap
};

struct OutputBytes {
    std::int64_t file_offset = 0;
    std::int64_t bytes = 0;
    std::int64_t volume_offset = 0;  // valid for flush
};

// The descriptors of check: one for each input, then the output's if there is one.
struct MoverOrder {
    MoverOrderKind kind = MoverOrderKind::check;
    JobId job = 0;
    std::uint32_t input_count = 0;
    std::uint32_t has_output = 0;
    std::uint32_t may_use_ring =
        0;  // the supervisor watches the mover's ring; without that a ring is not safe
    std::array<InputBytes, most_mover_inputs> inputs{};
    OutputBytes output{};
    std::uint32_t header_bytes = 0;
};

enum class MoverReportKind : std::uint8_t { ready, checked, progress, loaded, flushed, failed, cancelled };

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
    std::int64_t bytes = 0;  // progress: so far in this step
    double seconds = 0;      // loaded, flushed
    RingPlaces ring{};
    std::array<char, 32> method{};  // loaded, flushed: how the bytes moved, for people
    // failed:
    std::uint8_t error_kind = 0;
    std::array<char, 160> what{};
    std::array<char, 320> because{};
    std::array<char, 240> remedy{};
};

}  // namespace slab::daemon
