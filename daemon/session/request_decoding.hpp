#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/job.hpp"

namespace slab::daemon {

// JOB REQUEST of the protocol. Trusts nothing: types, ranges, and the numbers of descriptors are checked; takes the
// descriptors out of the message, in the order inputs, output. A plan needs none.
enum class Descriptors : std::uint8_t { required, none };
Expected<JobRequest> decode_job_request(Message& message, Descriptors descriptors);

// The `output` object: where in the file the payload goes, and the header's bytes.
Expected<OutputFile> decode_output(const Json& json);

Expected<ResumeRequest> decode_resume(Message& message);

}  // namespace slab::daemon
