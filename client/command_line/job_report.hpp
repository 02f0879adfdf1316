#pragma once

#include "client/command_line/common_options.hpp"
#include "client/library/job_status.hpp"

#include <span>
#include <string>
#include <vector>

namespace slab {

// 0 for a job that is done or has not ended.
int exit_code_of(const JobStatus& job);

// "done: job 12, zoom, out.npy (2048, 2048, 1024) bool, 4.3 GB in 1.32 s (compute 0.104 s)". `place` is the
// file, or where else the result is; empty: not said.
std::string summary_of(const JobStatus& job, const std::string& place);

// {"jobs": [...]} of several jobs, as they came.
std::string jobs_json(std::span<const JobStatus> jobs);

// The end of a job that somebody waited for: its JSON or its summary on stdout, its error on stderr.
void report_end(const JobStatus& job, const std::string& place, OutputStyle style);

}  // namespace slab
