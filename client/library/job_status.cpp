#include "client/library/job_status.hpp"

#include <fmt/format.h>

namespace slab {

std::string_view name_of(JobStatus::State state) {
    switch (state) {
    case JobStatus::State::received: return "received";
    case JobStatus::State::queued: return "queued";
    case JobStatus::State::waiting_for_space: return "waiting_for_space";
    case JobStatus::State::loading: return "loading";
    case JobStatus::State::running: return "running";
    case JobStatus::State::flushing: return "flushing";
    case JobStatus::State::interrupted: return "interrupted";
    case JobStatus::State::ended: return "ended";
    }
    return "";
}

std::string_view name_of(JobStatus::Outcome outcome) {
    switch (outcome) {
    case JobStatus::Outcome::none: return "";
    case JobStatus::Outcome::done: return "done";
    case JobStatus::Outcome::failed: return "failed";
    case JobStatus::Outcome::cancelled: return "cancelled";
    case JobStatus::Outcome::refused: return "refused";
    case JobStatus::Outcome::interrupted: return "interrupted";
    }
    return "";
}

Error error_of(const JobStatus& job) {
    if (job.error && !job.error->what.empty()) {
        return *job.error;
    }
    const ErrorKind kind = job.outcome == JobStatus::Outcome::cancelled     ? ErrorKind::cancelled
                           : job.outcome == JobStatus::Outcome::refused     ? ErrorKind::refused
                           : job.outcome == JobStatus::Outcome::interrupted ? ErrorKind::interrupted
                                                                            : ErrorKind::failed;
    return {kind, fmt::format("job {} ended: {}", job.id, name_of(job.outcome)), "", ""};
}

}  // namespace slab
