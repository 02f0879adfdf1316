#pragma once

#include "client/command_line/job_arguments.hpp"
#include "common/errors/error.hpp"

#include <string>

namespace slab {

// Reads job.toml: kernel, inputs (paths or {path, dtype, shape, order, offset}), output, overwrite, keep,
// priority, max_memory, tile_bytes, name and the table [parameters]. Relative paths count from the file's
// folder. Errors of kind usage with the line; an unknown key names the nearest known one.
Expected<JobArguments> read_job_file(const std::string& path);

}  // namespace slab
