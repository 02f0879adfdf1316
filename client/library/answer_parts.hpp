#pragma once

#include "client/library/job_status.hpp"
#include "common/protocol/message.hpp"

#include <string_view>

namespace slab {

// The daemon's answer to this request lacks a part that the protocol promises.
Error unreadable(std::string_view request);

// JOB in the answer to a request.
Expected<JobStatus> job_in(const Message& message, std::string_view request);

}  // namespace slab
