#pragma once

#include "client/library/job_request.hpp"
#include "client/library/job_status.hpp"
#include "client/library/kernel_info.hpp"
#include "client/library/planned_job.hpp"
#include "common/protocol/message.hpp"

namespace slab {

// The protocol's objects as this library's structs. Keys that are absent or of another type than documented
// leave their field at its default: a newer daemon may know more and an older one less.
JobStatus job_status_from(const Json& json);
KernelInfo kernel_info_from(const Json& json);
PlannedJob planned_job_from(const Json& json);

}  // namespace slab
