#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/scheduling/tile_grid.hpp"

#include <cstdint>
#include <vector>

namespace slab::daemon {

// Bytes [begin, end) of an array.
struct ByteSpan {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t bytes() const { return end - begin; }
    bool operator==(const ByteSpan&) const = default;
};

// A part of the output and what it needs: the tiles of each phase, its bytes, and those of each input and workspace (with
// the halo). For a job whose arrays are all in the volume at once there is one band, and it is everything.
struct BandPlan {
    std::vector<TileGrid> phases;  // the workspaces' in their order, then the output's
    ByteSpan output;
    std::vector<ByteSpan> inputs;
    std::vector<ByteSpan> workspaces;

    const TileGrid& output_tiles() const { return phases.back(); }
    std::int64_t tile_count() const;
};

// Bands are cut along one axis of the output.
struct BandCut {
    int axis = 0;
    std::int64_t rows = 0;  // indices of that axis in a band; the last one may have fewer
    std::int64_t count = 0;
};

// How a streaming job's slots lie in the volume: `slots` times the same, each with room for one band of every array
// that streams, page by page.
struct RingPlan {
    int slots = 1;
    std::int64_t slot_bytes = 0;         // 0: nothing streams
    std::vector<std::int64_t> input_at;  // bytes from the slot's start; negative: the array is there whole
    std::int64_t output_at = -1;         // likewise
};

// What a kernel needs beside inputs and output, in one run of the volume: its table, then the workspaces. One that bands
// need in part has room for the largest part: only one band is computed at a time.
struct WorkPlan {
    std::int64_t bytes = 0;                  // 0: nothing
    std::vector<std::int64_t> workspace_at;  // bytes from the run's start
    std::vector<bool> is_whole;              // computed once, with the first band, and there until the end
};

// All that will be done for a job, before anything is. Pure: the same request gives the same plan.
struct JobPlan {
    const kernels::Kernel* kernel = nullptr;
    kernels::ParameterValues parameters;     // in the order of axes that the user sees, defaults filled in
    std::vector<ArrayDescription> inputs;    // as the user sees them
    ArrayDescription output;                 // likewise
    std::vector<Shape> kernel_input_shapes;  // as the kernel sees them: C order
    Shape kernel_output_shape;
    std::int64_t tile_bytes = 0;
    kernels::KernelPlan kernel_plan;
    BandCut cut;
    RingPlan ring;
    WorkPlan work;
    std::int64_t bytes_in = 0;
    std::int64_t bytes_out = 0;
    std::int64_t holds_bytes = 0;  // of the volume, in whole extents
    std::int64_t least_bytes = 0;  // the least room that would do
    std::int64_t tile_count = 0;   // over all bands and phases

    bool streams() const { return ring.slot_bytes > 0; }
    std::size_t phase_count() const { return kernel_plan.workspaces.size() + 1; }
    // Whether that phase's array is there already for every band but the first.
    bool is_done_once(std::size_t phase) const {
        return phase < work.is_whole.size() && work.is_whole[phase];
    }
    BandPlan band(std::int64_t number) const;
    // Of the band's part of source `input` or, counted on, workspace: rows of the source's own band axis.
    kernels::AxisRange source_rows(std::size_t source, kernels::AxisRange output_rows) const;
    const Shape& source_shape(std::size_t source) const;

    // A number for how the work is cut: what was filled under one plan means nothing under another. Of the parameters
    // it knows only the shapes that they lead to.
    std::uint64_t fingerprint() const;
};

// What may be held of the volume, and whether the job should stream although it would fit.
struct Room {
    std::int64_t most_bytes = 0;
    bool output_stays = false;  // the result is kept in the volume: it cannot stream
    bool prefers_ring = false;  // memory that is touched for the first time is dear: use little of it
    bool wants_least = false;   // least_bytes of a job that fits, too: as much work again
};

struct JobPlanRequest {
    const kernels::Kernel* kernel = nullptr;
    kernels::ParameterValues parameters;
    std::vector<ArrayDescription> inputs;
    std::int64_t tile_bytes = 0;
    Room room;
};

// Checks the arrays, asks the kernel, and decides whether the arrays are in the volume whole or stream through it. A
// job that fits in no way is refused with the least room that would do.
Expected<JobPlan> plan_job(JobPlanRequest request);

}  // namespace slab::daemon
