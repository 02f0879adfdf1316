#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/job.hpp"

namespace slab::daemon {

// JOB and PLAN of the protocol.
Json job_to_json(const Job& job, int workers);
Json plan_to_json(const JobPlan& plan);

}  // namespace slab::daemon
