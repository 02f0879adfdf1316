#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/job.hpp"

namespace slab::daemon {

// JOB and PLAN of the protocol. `expire`: how long a kept or interrupted result stays.
Json job_to_json(const Job& job, int workers, std::chrono::milliseconds expire);
Json plan_to_json(const JobPlan& plan);

// {"blur": {"plugin": path, "digest": text}}: of its kernels those that plug-ins brought, for the journal.
Json plugins_of(const JobPlan& plan);

}  // namespace slab::daemon
