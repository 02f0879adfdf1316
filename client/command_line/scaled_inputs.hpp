#pragma once

#include "client/command_line/job_arguments.hpp"

namespace slab {

// NIfTI files may hold numbers that mean others: stored * scl_slope + scl_inter. Puts a step before the job's kernels that
// computes what is meant, of each such input, in float32 (of types with more than 24 bits in float64). Where a NIfTI result
// consists of an input's elements, moved, they stay as they are, and its header tells their meaning.
Expected<void> scale_inputs(PreparedJob& job, Connection& daemon);

}  // namespace slab
