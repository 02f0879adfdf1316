#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/scheduling/tile_grid.hpp"

#include <cstdint>
#include <vector>

namespace slab::daemon {

// The part of the output that must be in the volume at one time, and its tiles.
struct BandPlan {
    TileGrid tiles;
};

// One pass of a kernel over the output; between phases is a barrier.
struct PhasePlan {
    kernels::Program program;
    std::vector<BandPlan> bands;
};

// All that will be done for a job, before anything is. Pure: the same request gives the same plan.
struct JobPlan {
    const kernels::Kernel* kernel = nullptr;
    kernels::ParameterValues parameters;     // in the order of axes that the user sees, defaults filled in
    std::vector<ArrayDescription> inputs;    // as the user sees them
    ArrayDescription output;                 // likewise
    std::vector<Shape> kernel_input_shapes;  // as the kernel sees them: C order
    Shape kernel_output_shape;
    std::vector<PhasePlan> phases;
    std::int64_t bytes_in = 0;
    std::int64_t bytes_out = 0;
    std::int64_t holds_bytes = 0;  // of the volume, in whole extents
    std::int64_t tile_count = 0;   // over all phases and bands

    int band_count() const;
};

struct JobPlanRequest {
    const kernels::Kernel* kernel = nullptr;
    kernels::ParameterValues parameters;
    std::vector<ArrayDescription> inputs;
    std::int64_t tile_bytes = 0;
};

// Checks the arrays and asks the kernel. Single band for now: everything is in the volume at once.
Expected<JobPlan> plan_job(JobPlanRequest request);

}  // namespace slab::daemon
