#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace slab {

// A worker as the supervisor sees it. The slot (and its CPU) stays when its process dies; the process does not.
enum class WorkerState : std::uint8_t {
    starting,  // the zygote was asked to fork it; it has not said idle yet
    idle,      // it holds no lease
    busy,      // it holds at least one
    killed,    // it was sent SIGKILL for missing a deadline and is not reaped yet
    dead,  // reaped; a replacement is asked for at once, or after a pause when it never got as far as idle
};
inline constexpr std::size_t worker_state_count = 5;

// clang-format off
inline constexpr bool worker_may_move[worker_state_count][worker_state_count] = {
    //               starting idle   busy   killed dead
    /* starting */ {false, true, false, true, true},   // idle: it said so
    /* idle     */ {false, false, true, true, true},   // busy: a lease was sent
    /* busy     */ {false, true, false, true, true},   // idle: its last lease came back
    /* killed   */ {false, false, false, false, true},
    /* dead     */ {true, false, false, false, false},
};
// clang-format on

constexpr bool may_move(WorkerState from, WorkerState to) {
    return worker_may_move[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

constexpr std::string_view name_of(WorkerState state) {
    constexpr std::array<std::string_view, worker_state_count> names{"starting", "idle", "busy", "killed",
                                                                     "dead"};
    return names[static_cast<std::size_t>(state)];
}

}  // namespace slab
