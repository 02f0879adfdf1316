#include "daemon/kernels/sampling/sampling_plan.hpp"

#include "daemon/kernels/interpolation/spline.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

std::int64_t product(const Shape& shape, int begin, int end) {
    std::int64_t count = 1;
    for (int axis = begin; axis < end; ++axis) {
        count *= shape[axis];
    }
    return count;
}

SamplingProgram program_of(const SamplingRequest& request) {
    const SplineChoices& spline = request.spline;
    SamplingProgram program;
    program.order = spline.order;
    program.boundary = spline.boundary;
    program.cval = spline.cval;
    program.type = spline.type;
    program.outer_axes = request.outer_axes;
    program.space_rank = request.space_rank;
    const int rank = request.input.shape.rank;
    const int space_end = request.outer_axes + request.space_rank;
    program.inner_axes = rank - space_end;
    for (int axis = 0; axis < request.space_rank; ++axis) {
        const auto space = space_axes - static_cast<std::size_t>(request.space_rank - axis);
        program.is_sampled[space] = true;
        program.source[space] = request.input.shape[request.outer_axes + axis];
        program.target[space] = request.output[request.outer_axes + axis];
    }
    program.parts = spline.order == 0 ? 1 : parts_of(request.input.dtype);
    program.outer = product(request.input.shape, 0, request.outer_axes);
    program.inner = product(request.input.shape, space_end, rank) * program.parts;
    program.frames = program.outer * program.inner / program.parts;
    program.phase_count = 0;
    return program;
}

class PhaseList {
  public:
    PhaseList(const SamplingRequest& request, KernelPlan& plan)
        : request_(request), plan_(plan), program_(program_of(request)), latest_(request.input) {
        plan.table.resize(request.frames.size() * sizeof(PullBack));
        std::memcpy(plan.table.data(), request.frames.data(), plan.table.size());
    }

    SamplingProgram all() {
        if (program_.order >= 2 && request_.spline.is_prefiltered) {
            program_.padding = coefficient_padding(program_.boundary);
            program_.margin = program_.padding > 0 ? 0 : (program_.order + 1) / 2;
            for (int axis = 0; axis < program_.space_rank; ++axis) {
                add_filter(program_.outer_axes + axis);
            }
        }
        // An element is read for up to eight others: converted once, not by each (int16 to double: measured 10 times
        // as fast).
        const bool is_converted = latest_.dtype != working_dtype();
        if (program_.order >= 1 && (program_.inner > 1 || is_converted)) {
            add_planes();
        }
        read_by_next_phase(plan_.workspaces, 0);
        if (request_.masking == Masking::shared) {
            // The mask comes between what is sampled and who reads it.
            if (!plan_.workspaces.empty()) {
                plan_.workspaces.back().last_reader = {};
            }
            add_mask();
        }
        program_.phases[program_.phase_count++] = SamplingPhase::sample;
        return program_;
    }

  private:
    void add(SamplingPhase phase, Workspace workspace) {
        program_.phases[program_.phase_count++] = phase;
        plan_.workspaces.push_back(std::move(workspace));
    }

    void add_filter(int axis) {
        const std::size_t source = plan_.workspaces.size();  // the input, then the filters before
        LineFilter filter = spline_prefilter(axis, source, program_.order, program_.boundary, program_.cval,
                                             program_.type, plan_.table);
        filter.padding = program_.padding + program_.margin;
        program_.filters[program_.phase_count] = filter;
        add(SamplingPhase::filter, line_filter_workspace(filter, latest_));
        latest_ = plan_.workspaces.back().array;
    }

    DType working_dtype() const {
        return program_.type == WorkingType::float32 ? DType::float32 : DType::float64;
    }

    void add_planes() {
        const DType dtype = working_dtype();
        Shape shape{program_.outer * program_.inner, 1, 1, 1};
        for (int axis = 0; axis < program_.space_rank; ++axis) {
            shape[4 - program_.space_rank + axis] = latest_.shape[program_.outer_axes + axis];
        }
        Workspace workspace{{dtype, shape, MemoryOrder::c}, {}};
        // A run of neighbours of inner is read at once.
        workspace.tiles.brick = {std::min<std::int64_t>(64, program_.inner), 1, 1,
                                 std::min<std::int64_t>(64, shape[3]), 1};
        add(SamplingPhase::planes, std::move(workspace));
    }

    void add_mask() {
        const Shape shape{program_.target[0], program_.target[1], 2};
        Workspace workspace{{DType::int64, shape, MemoryOrder::c}, {}};
        // A line costs about 50 ns for each frame, and has 16 bytes.
        workspace.tiles.brick = {1, std::min<std::int64_t>(64, shape[1]), 2, 1, 1};
        workspace.tiles.most = {1, 64, 2, 1, 1};
        add(SamplingPhase::mask, std::move(workspace));
    }

    const SamplingRequest& request_;
    KernelPlan& plan_;
    SamplingProgram program_;
    ArrayDescription latest_;
};

// Whole lines, and of the slower axes of space what fits: neighbouring lines read the same rows of taps.
TilePreference output_tiles(const SamplingProgram& program, const Shape& output) {
    TilePreference tiles;
    const int space_end = program.outer_axes + program.space_rank;
    for (int axis = space_end; axis < output.rank; ++axis) {
        tiles.brick[static_cast<std::size_t>(axis)] = std::min<std::int64_t>(output[axis], 1024);
    }
    const int x = space_end - 1;
    tiles.brick[static_cast<std::size_t>(x)] =
        std::min<std::int64_t>(output[x], program.inner > program.parts ? 64 : 4096);
    if (program.space_rank > 1) {
        tiles.brick[static_cast<std::size_t>(x - 1)] = std::min<std::int64_t>(output[x - 1], 8);
    }
    return tiles;
}

// The sums and weights of order 5 and three prefilters, measured over the cases of tests/agreement: below a tenth.
double tolerance_of(const SamplingProgram& program) {
    if (program.order == 0) {
        return 0.0;
    }
    return program.type == WorkingType::float32 ? 1e-5 : 1e-13;
}

}  // namespace

Expected<KernelPlan> plan_sampling(const SamplingRequest& request) {
    KernelPlan plan;
    plan.output = {request.input.dtype, request.output, MemoryOrder::c};
    if (!checked_byte_count(plan.output)) {
        return std::unexpected(usage("the output's size does not fit in 63 bits",
                                     fmt::format("it would have the shape {} of {}", to_text(request.output),
                                                 name_of(request.input.dtype)),
                                     "Give a smaller shape."));
    }
    const SamplingProgram program = PhaseList(request, plan).all();
    plan.program = Program(program);
    plan.tiles = output_tiles(program, request.output);
    plan.tolerance = tolerance_of(program);
    plan.only_moves = program.order == 0 && request.masking == Masking::each_frame &&
                      program.boundary != Boundary::constant && program.boundary != Boundary::grid_constant;
    return plan;
}

AxisRange sampling_band_reads(const BandQuery& query) {
    const auto program = query.plan->program.as<SamplingProgram>();
    const bool is_input = query.source < query.inputs.size();
    const std::size_t phase = query.source - query.inputs.size();
    const Shape& source = is_input ? query.inputs[query.source] : query.plan->workspaces[phase].array.shape;
    const AxisRange all{0, source[query.source_axis]};
    if (query.output_axis >= program.outer_axes ||
        (!is_input && program.phases[phase] == SamplingPhase::mask)) {
        return all;
    }
    if (!is_input && program.phases[phase] == SamplingPhase::planes) {
        // The axes of frames and parts are one axis there.
        const std::int64_t planes = all.end / query.plan->output.shape[query.output_axis];
        return {query.rows.begin * planes, query.rows.end * planes};
    }
    return query.rows;
}

}  // namespace slab::kernels
