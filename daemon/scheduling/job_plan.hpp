#pragma once

#include "common/array/array_description.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/scheduling/step_plan.hpp"
#include "daemon/scheduling/tile_grid.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace slab::daemon {

// Bytes [begin, end) of an array.
struct ByteSpan {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t bytes() const { return end - begin; }
    bool operator==(const ByteSpan&) const = default;
};

// A part of the work: the tiles of each phase, and which bytes it needs of each input and of each array that a phase
// fills (with the halo). For a job whose arrays are all in the volume at once there is one band, and it is everything.
struct BandPlan {
    std::vector<TileGrid> phases;  // without tiles: the phase waits for the last band
    std::vector<ByteSpan> inputs;
    std::vector<ByteSpan> targets;  // of each phase; the last one's is the output

    const TileGrid& output_tiles() const { return phases.back(); }
    const ByteSpan& output() const { return targets.back(); }
    std::int64_t tile_count() const;
};

// Bands are cut along one axis of what one phase fills: the output, or what gathers (KernelPlan) in one of the steps. The
// phases after it wait for the last band.
struct BandCut {
    std::size_t phase = 0;
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

// What the kernels need beside inputs and output, in one run of the volume: their tables, then what the phases but the
// last fill. Arrays that are not needed at the same time share their place. One that bands need in part has room for the
// largest part: only one band is computed at a time.
struct WorkPlan {
    std::int64_t bytes = 0;              // 0: nothing
    std::vector<std::int64_t> table_at;  // of each step, bytes from the run's start
    std::vector<std::int64_t> array_at;  // of each phase but the last, likewise
    std::vector<bool> is_whole;  // likewise: computed once, with the first band, and there until the end
};

// A table that is told when all is computed, until which what the phase fills is kept.
struct ToldArray {
    std::string name;
    std::size_t phase = 0;
    std::array<std::int64_t, 2> extents{};
};

// All that will be done for a job, before anything is. Pure: the same request gives the same plan.
// Sources are the job's inputs, then the arrays that the phases fill, in their order; the last one is the output.
struct JobPlan {
    std::vector<StepPlan> steps;
    std::vector<ArrayDescription> inputs;    // as the user sees them
    ArrayDescription output;                 // likewise
    std::vector<Shape> kernel_input_shapes;  // as the kernels see them: C order
    Shape kernel_output_shape;
    std::int64_t tile_bytes = 0;
    BandCut cut;
    RingPlan ring;
    WorkPlan work;
    std::int64_t bytes_in = 0;
    std::int64_t bytes_out = 0;
    std::int64_t holds_bytes = 0;  // of the volume, in whole extents
    std::int64_t least_bytes = 0;  // the least room that would do
    std::int64_t tile_count = 0;   // over all bands and phases

    bool streams() const { return ring.slot_bytes > 0; }
    // Nothing of the output is there before the last band is done.
    bool ends_with_output() const { return cut.phase + 1 < phase_count(); }
    bool is_answer() const { return steps.back().plan.is_answer; }
    std::size_t phase_count() const { return steps.back().output_phase() + 1; }
    const StepPlan& step_of(std::size_t phase) const;
    // What the phase fills, as its kernel sees it.
    const ArrayDescription& target(std::size_t phase) const { return step_of(phase).target(phase); }
    // Whether the phase's array is there already for every band but the first.
    bool is_done_once(std::size_t phase) const {
        return phase < work.is_whole.size() && work.is_whole[phase];
    }
    BandPlan band(std::int64_t number) const;
    // Which part of each source a band needs, along the source's own band axis: the kernels' answers, carried back from
    // step to step. `rows` are of the target of the phase that is cut; what comes after it is left empty.
    std::vector<kernels::AxisRange> needed_rows(kernels::AxisRange rows) const;
    const Shape& source_shape(std::size_t source) const;

    // The tables that the job's result tells beside its output: of all steps, of several with the same name the last.
    // None where the output itself is told.
    std::vector<ToldArray> told() const;

    // A number for how the work is cut: what was filled under one plan means nothing under another. Of the parameters
    // it knows only the shapes that they lead to.
    std::uint64_t fingerprint() const;
};

}  // namespace slab::daemon
