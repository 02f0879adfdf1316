#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/job.hpp"

namespace slab::daemon {

// JOB and PLAN of the protocol. `expire`: how long a kept or interrupted result stays.
Json job_to_json(const Job& job, int workers, std::chrono::milliseconds expire);
Json plan_to_json(const JobPlan& plan);

}  // namespace slab::daemon
