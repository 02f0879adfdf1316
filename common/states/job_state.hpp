#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace slab {

// Where a job is. Why it ended is another type (JobOutcome).
enum class JobState : std::uint8_t {
    received,  // a session decoded it; its mover checks the files. It holds nothing of the volume
    queued,    // the files are good; it waits for room in the volume
    loading,   // its extents are reserved; memory is put behind them and the mover fills the inputs
    running,   // workers fill tiles
    flushing,  // every tile is filled; the mover writes the output
    ended,     // final
};
inline constexpr std::size_t job_state_count = 6;

// clang-format off
inline constexpr bool job_may_move[job_state_count][job_state_count] = {
    //               received queued loading running flushing ended
    /* received */ {false, true, false, false, false, true},   // the mover answered: good files; ended: bad ones, or cancel
    /* queued   */ {false, false, true, false, false, true},   // extents reserved; ended: cancelled
    /* loading  */ {false, false, false, true, false, true},   // the mover said loaded and every extent is populated
    /* running  */ {false, false, false, false, true, true},   // the last tile was filled; ended: a poison tile, cancel
    /* flushing */ {false, false, false, false, false, true},  // the mover said written
    /* ended    */ {false, false, false, false, false, false},
};
// clang-format on

constexpr bool may_move(JobState from, JobState to) {
    return job_may_move[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

constexpr std::string_view name_of(JobState state) {
    constexpr std::array<std::string_view, job_state_count> names{"received", "queued",   "loading",
                                                                  "running",  "flushing", "ended"};
    return names[static_cast<std::size_t>(state)];
}

// Why a job ended.
enum class JobOutcome : std::uint8_t {
    none,  // it has not ended
    done,
    failed,
    cancelled,
    refused,
};

constexpr std::string_view name_of(JobOutcome outcome) {
    constexpr std::array<std::string_view, 5> names{"", "done", "failed", "cancelled", "refused"};
    return names[static_cast<std::size_t>(outcome)];
}

}  // namespace slab
