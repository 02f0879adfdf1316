#pragma once

#include "client/command_line/job_arguments.hpp"

#include <vector>

namespace slab {

// Gives every step its name and says where its inputs come from. Files that steps name join the job's inputs. Errors of kind
// usage; what a pipeline may be is the daemon's to say.
Expected<std::vector<PipelineStep>> settle_steps(JobArguments& arguments);

}  // namespace slab
