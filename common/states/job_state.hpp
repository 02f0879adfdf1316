#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace slab {

// Where a job is. Why it ended is another type (JobOutcome).
enum class JobState : std::uint8_t {
    received,  // a session decoded it; its mover checks the files. It holds nothing of the volume
    queued,    // the files are good; it waits for room in the volume
    loading,   // its extents are reserved; memory is put behind them and the mover fills the first inputs
    running,   // workers fill tiles; of a job that streams, the mover loads and writes beside them
    waiting_for_space,  // the output's file system is full; it goes on by itself when there is room
    flushing,           // every tile is filled; the mover writes what is left of the output
    interrupted,        // the daemon ended or lost its files; what was filled is kept, `slab resume` goes on
    ended,              // final
};
inline constexpr std::size_t job_state_count = 8;

// clang-format off
inline constexpr bool job_may_move[job_state_count][job_state_count] = {
    //                        received queued loading running waiting flushing interrupted ended
    /* received */          {false, true,  false, false, true,  false, true,  true},   // the mover answered: good files, or no space (when it may wait)
    /* queued */            {false, false, true,  false, false, false, true,  true},   // extents reserved
    /* loading */           {false, false, false, true,  false, true,  true,  true},   // the first band is loaded and its memory there; flushing: resumed when all was filled
    /* running */           {false, false, false, false, true,  true,  true,  true},   // no space for a band; the last tile was filled
    /* waiting_for_space */ {false, true,  false, true,  false, true,  true,  true},   // there is room again: back to where it was
    /* flushing */          {false, false, false, false, true,  false, true,  true},   // no space for a band; ended: the mover said written
    /* interrupted */       {true,  false, false, false, false, false, false, true},   // resumed; ended: cancelled, dropped, expired
    /* ended */             {false, false, false, false, false, false, false, false},
};
// clang-format on

constexpr bool may_move(JobState from, JobState to) {
    return job_may_move[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

constexpr std::string_view name_of(JobState state) {
    constexpr std::array<std::string_view, job_state_count> names{
        "received", "queued", "loading", "running", "waiting_for_space", "flushing", "interrupted", "ended"};
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
