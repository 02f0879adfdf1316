#pragma once

#include "daemon/scheduling/job_plan.hpp"

namespace slab::daemon {

// A band's slot should be this large: a few times what is under way to the disk (16 requests of 4 MiB), and a ring that
// is small beside the volume. With it zoom x4 to 34 GB runs at the disk's rate (tests/speed, case stream); other sizes
// have not been compared.
inline constexpr std::int64_t preferred_slot_bytes = std::int64_t{64} << 20;
inline constexpr int most_slots = 4;
inline constexpr std::int64_t most_bands = 16384;  // of a phase: bounds the work of planning

// What may be held of the volume, and whether the job should stream although it would fit.
struct Room {
    std::int64_t most_bytes = 0;
    bool output_stays = false;  // the result is kept in the volume: it cannot stream
    bool prefers_ring = false;  // memory that is touched for the first time is dear: use little of it
    bool wants_least = false;   // least_bytes of a job that fits, too: as much work again
};

// Everything in the volume at once: one band.
void lay_out_whole(JobPlan& plan);

// Bands through a ring that holds at most room.most_bytes together with the arrays that stay whole. False when not
// even the smallest band fits, or the kernel cannot work in bands; plan is then as it was, but least_bytes says what would do.
bool lay_out_ring(JobPlan& plan, const Room& room);

}  // namespace slab::daemon
