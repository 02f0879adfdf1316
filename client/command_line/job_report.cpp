#include "client/command_line/job_report.hpp"

#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <fmt/format.h>

namespace slab {

int exit_code_of(const JobStatus& job) {
    const bool in_order = !has_ended(job) || job.outcome == JobStatus::Outcome::done;
    return in_order ? 0 : exit_code(error_of(job).kind);
}

std::string summary_of(const JobStatus& job, const std::string& place) {
    std::string text = fmt::format(
        "{}: job {}, {}", has_ended(job) ? name_of(job.outcome) : name_of(job.state), job.id, job.kernel);
    if (!place.empty()) {
        text += ", " + place;
    }
    if (job.output) {
        text += fmt::format(" {} {}", to_text(job.output->shape), name_of(job.output->dtype));
    }
    text += ", " + byte_size_text(job.bytes_out);
    if (job.wall_s) {
        text += " in " + duration_text(std::chrono::duration<double>(*job.wall_s));
    }
    if (job.compute_s) {
        text += fmt::format(" (compute {})", duration_text(std::chrono::duration<double>(*job.compute_s)));
    }
    if (job.workers_lost > 0) {
        text += fmt::format(", {} worker{} lost and {} tile{} repeated", job.workers_lost,
                            job.workers_lost == 1 ? "" : "s", job.tiles_repeated,
                            job.tiles_repeated == 1 ? "" : "s");
    }
    return text;
}

std::string jobs_json(std::span<const JobStatus> jobs) {
    std::vector<std::string> objects;
    for (const JobStatus& job : jobs) {
        objects.push_back(job.json);
    }
    return fmt::format("{{\"jobs\":[{}]}}", fmt::join(objects, ","));
}

void report_end(const JobStatus& job, const std::string& place, OutputStyle style) {
    if (has_ended(job) && job.outcome != JobStatus::Outcome::done) {
        fmt::print(stderr, "{}\n", to_text(error_of(job)));
    }
    if (style == OutputStyle::json) {
        print_json(job.json);
    } else if (job.outcome == JobStatus::Outcome::done) {
        fmt::print("{}\n", summary_of(job, place));
    }
}

}  // namespace slab
