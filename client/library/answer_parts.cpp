#include "client/library/answer_parts.hpp"

#include "client/library/answers.hpp"

#include <fmt/format.h>

namespace slab {

Error unreadable(std::string_view request) {
    return {ErrorKind::failed, fmt::format("the daemon's answer to '{}' cannot be read", request),
            "it lacks a part that the protocol promises", "Use slab and slabd of the same version."};
}

Expected<JobStatus> job_in(const Message& message, std::string_view request) {
    const auto job = message.body.find("job");
    if (job == message.body.end() || !job->is_object()) {
        return std::unexpected(unreadable(request));
    }
    return job_status_from(*job);
}

}  // namespace slab
