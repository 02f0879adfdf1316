#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "daemon/scheduling/band_layout.hpp"
#include "daemon/scheduling/guest_step.hpp"
#include "daemon/scheduling/job_plan.hpp"
#include "daemon/scheduling/step_plan.hpp"

#include <optional>
#include <vector>

namespace slab::daemon {

struct JobPlanRequest {
    std::vector<StepRequest> steps;  // the last one's output is the job's
    std::vector<ArrayDescription> inputs;
    std::int64_t tile_bytes = 0;
    Room room;
    std::vector<std::optional<WorldMatrix>> worlds = {};  // of the inputs, where files tell it; may be empty
    std::optional<GuestOutput> guests = {};               // instead of steps and inputs
};

// Checks the arrays, asks the kernels, and decides whether the arrays are in the volume whole or stream through it. A
// job that fits in no way is refused with the least room that would do.
Expected<JobPlan> plan_job(JobPlanRequest request);

}  // namespace slab::daemon
