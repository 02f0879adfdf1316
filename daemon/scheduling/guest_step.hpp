#pragma once

#include "daemon/scheduling/step_plan.hpp"

#include <cstdint>
#include <vector>

namespace slab::daemon {

// What guests are to fill: processes of the client's user, with a function that the daemon never sees.
struct GuestOutput {
    ArrayDescription array;          // C order
    std::vector<std::int64_t> tile;  // a full tile's extents, slowest axis first; empty: cut by bytes
};

// A job of guests is planned as one step without inputs (what a guest reads is its own affair), whose kernel no worker runs. Refused:
// arrays without elements or beyond all memory, tiles that are no boxes, more than most_tiles of them.
Expected<StepPlan> guest_step(const GuestOutput& wanted);

}  // namespace slab::daemon
