#include "daemon/kernels/realign/coarse_references.hpp"
#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/fluctuation.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/information.hpp"
#include "daemon/kernels/realign/realign.hpp"
#include "daemon/kernels/realign/realign_program.hpp"
#include "daemon/kernels/realign/reference_choice.hpp"
#include "daemon/kernels/realign/reference_slopes.hpp"
#include "daemon/kernels/realign/references.hpp"
#include "daemon/kernels/realign/second_pass.hpp"
#include "daemon/kernels/realign/second_reference.hpp"
#include "daemon/kernels/realign/series_motion.hpp"
#include "daemon/kernels/realign/slab_steps.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"
#include "daemon/kernels/reslice/frame_transforms.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace slab::kernels {
namespace {

using namespace realign;

constexpr std::int64_t least_extent = 2;
constexpr std::int64_t least_coarse_extent = 8;
// An axis, and the frames: what is worked on in scratch memory.
constexpr std::int64_t most_extent = 8000;
constexpr std::int64_t most_frames = 100'000;
constexpr double most_anisotropy = 1.5;  // an axis so much coarser than the finest is not halved

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

Expected<void> check_series(const ArrayDescription& series, bool is_first_in_memory) {
    const Shape& shape = series.shape;
    if (shape.rank == 3) {
        return std::unexpected(usage("realign takes a series of volumes",
                                     "the input has 3 dimensions: it is one frame",
                                     "Give a 4-D array; a single volume is moved by reslice."));
    }
    if (shape.rank != 4) {
        return std::unexpected(usage("realign takes a series of volumes: 4 dimensions",
                                     fmt::format("the input has {}", shape.rank), "Give x, y, z and time."));
    }
    if (part_dtype(series.dtype) != series.dtype) {
        return std::unexpected(usage("realign takes real numbers",
                                     fmt::format("the input is {}", name_of(series.dtype)),
                                     "Give its magnitude: slab run map --expr 'abs(a)'."));
    }
    if (!is_first_in_memory) {
        return std::unexpected(usage(
            "the frames of the series are interleaved in memory",
            "realign goes through whole frames, and here the frames' axis is the fastest",
            "Give a NIfTI file, a Fortran-ordered array of x, y, z, t, or t, x, y, z with --batch first."));
    }
    if (shape[0] < 2) {
        return std::unexpected(
            usage("there is nothing to realign", "the series has one frame", "Give 2 frames or more."));
    }
    for (int axis = 1; axis < 4; ++axis) {
        if (shape[axis] < least_extent) {
            return std::unexpected(usage(
                "the frames are too small to be realigned",
                fmt::format("an axis of space has {} voxel; {} are the least", shape[axis], least_extent),
                "Across an axis of one voxel there is no slope to go by: give volumes."));
        }
    }
    if (shape[0] > most_frames || std::max({shape[1], shape[2], shape[3]}) > most_extent) {
        return std::unexpected(
            usage("the series is too long to be realigned",
                  fmt::format("{} frames, {} x {} x {} voxels; {} frames and {} voxels along "
                              "an axis are the most",
                              shape[0], shape[1], shape[2], shape[3], most_frames, most_extent),
                  "Realign it in parts, to one reference: --reference FILE."));
    }
    // A bit for each, the last ones of a slab rounded up to words.
    const std::int64_t most_voxels = static_cast<std::int64_t>(scratch_bytes) * 8 - most_slabs * 64;
    if (shape[1] > most_voxels / shape[2] / shape[3]) {
        return std::unexpected(usage(
            "the frames are too large to be realigned",
            fmt::format("{} x {} x {} voxels; {} is the most", shape[1], shape[2], shape[3], most_voxels),
            "Shrink the series first: slab run zoom."));
    }
    return {};
}

// How much the estimate looks at, and how often.
Expected<void> choose_effort(const PlanRequest& request, RealignProgram& program) {
    const auto* const two_pass = request.parameters.get<std::string>("two_pass");
    program.is_two_pass = two_pass == nullptr || *two_pass == "on";
    if (const auto* const quality = request.parameters.get<double>("quality")) {
        if (!(*quality > 0.0 && *quality <= 1.0)) {
            return std::unexpected(usage("quality must be above 0 and at most 1",
                                         fmt::format("it is {}", *quality),
                                         "It is the share of the information in the image that is used."));
        }
        program.quality = *quality;
    }
    if (const auto* const fwhm = request.parameters.get<double>("smooth")) {
        const Point spacing = program.grid.spacing();
        const double finest = std::min({spacing[0], spacing[1], spacing[2]});
        const double most = widest_sigma * std::sqrt(8.0 * std::log(2.0)) * finest;
        if (!(*fwhm >= 0.0 && *fwhm <= most)) {
            return std::unexpected(usage(
                fmt::format("smooth must be from 0 to {:.4g} mm", most), fmt::format("it is {}", *fwhm),
                "It is the full width at half maximum, of at most 37 voxels, by which only the estimate's "
                "images are smoothed. The kernel smooth smooths a series."));
        }
        program.smooth_fwhm = *fwhm;
    }
    return {};
}

void choose_levels(RealignProgram& program) {
    program.levels = 0;
    while (program.levels < static_cast<std::int64_t>(most_coarse_levels)) {
        const VolumeGrid grid = level_grid(program, program.levels);
        const Point spacing = grid.spacing();
        const double finest = std::min({spacing[0], spacing[1], spacing[2]});
        Extents factors{1, 1, 1};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const bool is_halved =
                grid.extents[axis] / 2 >= least_coarse_extent && spacing[axis] < most_anisotropy * finest;
            factors[axis] = is_halved ? 2 : 1;
        }
        if (factors == Extents{1, 1, 1}) {
            return;
        }
        program.factors[static_cast<std::size_t>(program.levels++)] = factors;
    }
}

// A row for each frame or slab, in a tile of its own.
Workspace rows_of(std::int64_t rows, DType dtype, std::int64_t elements) {
    Workspace workspace{{dtype, Shape{rows, elements}, MemoryOrder::c}, {}};
    workspace.tiles.brick = workspace.tiles.most = {1, elements, 1, 1, 1};
    workspace.tiles.is_whole = {false, true, false, false, false};
    return workspace;
}

// And for each slab of each frame.
Workspace rows_of_slabs(std::int64_t frames, std::int64_t slabs, DType dtype, std::int64_t elements) {
    Workspace workspace{{dtype, Shape{frames, slabs, elements}, MemoryOrder::c}, {}};
    workspace.tiles.brick = workspace.tiles.most = {1, 1, elements, 1, 1};
    workspace.tiles.is_whole = {false, false, true, false, false};
    return workspace;
}

Workspace one_piece(DType dtype, std::int64_t elements) {
    Workspace workspace{{dtype, Shape{elements}, MemoryOrder::c}, {}};
    workspace.tiles.is_whole = {true, false, false, false, false};
    return workspace;
}

Workspace slab_step(const RealignProgram& program, std::int64_t slabs) {
    return has_slab_steps(program) ? rows_of_slabs(program.images(), slabs, DType::uint8, slab_step_bytes)
                                   : one_piece(DType::uint8, 1);
}

Workspace lines_of_splines(const RealignProgram& program) {
    const Extents& n = program.grid.extents;
    return has_slab_steps(program)
               ? rows_of_slabs(program.images(), n[1], DType::float32, (n[0] + 2) * (n[2] + 2))
               : one_piece(DType::uint8, 1);
}

// Whole frames, where they are many.
Workspace planes_of_splines(const RealignProgram& program) {
    const Extents& n = program.grid.extents;
    Workspace planes = rows_of_slabs(program.images(), n[0] + 2, DType::float32, (n[1] + 2) * (n[2] + 2));
    if (!has_slab_steps(program)) {
        planes.tiles.brick[1] = planes.tiles.most[1] = n[0] + 2;
        planes.tiles.is_whole[1] = true;
    }
    return planes;
}

std::vector<Workspace> estimation_workspaces(const RealignProgram& program, std::size_t table_bytes) {
    const std::int64_t frames = program.images();
    const Slabs slabs(program.grid);
    // Tens of microseconds a voxel where frames are many.
    Workspace changes = one_piece(DType::float64, most_fluctuation_voxels);
    changes.tiles = {};
    changes.tiles.brick[0] = changes.tiles.most[0] = 256;
    Workspace means{{DType::float32, Shape{2, slabs.count, slabs.capacity()}, MemoryOrder::c}, {}};
    means.tiles.brick = means.tiles.most = {2, 1, slabs.capacity(), 1, 1};
    means.tiles.is_whole = {true, false, true, false, false};
    std::vector<Workspace> workspaces;
    // Read no later than by `reader`.
    const auto add = [&workspaces](RealignPhase phase, Workspace workspace,
                                   std::optional<RealignPhase> reader) {
        assert(workspaces.size() == static_cast<std::size_t>(phase));
        static_cast<void>(phase);
        if (reader) {
            workspace.last_reader = static_cast<std::size_t>(*reader);
        }
        workspaces.push_back(std::move(workspace));
    };
    using enum RealignPhase;
    add(spline_lines, lines_of_splines(program), coefficients);
    add(coefficients, planes_of_splines(program), second_pass);
    add(coarse_images, rows_of(frames, DType::float32, coarse_images_elements(program)), coarse_pass);
    add(coarse_references, one_piece(DType::uint8, coarse_references_bytes(program)), coarse_pass);
    add(reference_slopes, rows_of(slabs.count, DType::uint8, reference_slopes_bytes(program)), mean);
    add(thresholds, one_piece(DType::uint8, thresholds_bytes), references);
    add(references, rows_of(slabs.count, DType::uint8, references_bytes(program)), second_pass);
    add(coarse_pass, rows_of(frames, DType::uint8, first_pass_bytes), first_pass);
    add(first_step, slab_step(program, slabs.count), second_step);
    add(second_step, slab_step(program, slabs.count), third_step);
    add(third_step, slab_step(program, slabs.count), first_pass);
    add(first_pass, rows_of(frames, DType::uint8, first_pass_bytes), motion);
    add(samples, rows_of_slabs(frames, slabs.count, DType::float32, slabs.capacity()), second_pass);
    add(fluctuation, changes, motion);
    add(mean, means, second_reference);
    add(second_slopes, rows_of(slabs.count, DType::uint8, second_slopes_bytes(program)), second_reference);
    add(second_reference, rows_of(slabs.count, DType::uint8, second_reference_bytes(program)), motion);
    add(gain_facts, one_piece(DType::uint8, gain_facts_bytes), motion);
    add(second_equations, rows_of_slabs(frames, slabs.count, DType::uint8, second_equations_bytes),
        second_pass);
    add(second_pass, rows_of(frames, DType::uint8, second_pass_bytes), motion);
    add(motion, one_piece(DType::float64, motion_elements(program)), std::nullopt);
    if (!program.is_estimate_only) {
        add(pull_backs, one_piece(DType::uint8, static_cast<std::int64_t>(table_bytes)), std::nullopt);
    }
    return workspaces;
}

std::int64_t order_of(const ParameterValues& parameters) {
    const auto* order = parameters.get<std::string>("order");
    const std::string name = order == nullptr ? "cubic" : *order;
    return name == "nearest"   ? 0
           : name == "linear"  ? 1
           : name == "cubic"   ? 3
           : name == "quintic" ? 5
                               : name.front() - '0';
}

}  // namespace

Expected<KernelPlan> plan_realign(const PlanRequest& request) {
    const ArrayDescription& series = request.inputs[0];
    const bool is_reversed = request.axes == AxisOrder::reversed;
    const auto* batch = request.parameters.get<std::string>("batch");
    const bool is_first_in_memory = (batch != nullptr && *batch == "first") != is_reversed;
    if (const auto checked = check_series(series, is_first_in_memory); !checked) {
        return std::unexpected(checked.error());
    }
    RealignProgram program;
    program.frames = series.shape[0];
    program.grid.extents = {series.shape[1], series.shape[2], series.shape[3]};
    const auto reference = choose_reference(request);
    const auto mask = choose_mask(request);
    if (!reference || !mask) {
        return std::unexpected(reference ? mask.error() : reference.error());
    }
    program.reference = reference->frame;
    program.reference_input = reference->input;
    program.is_mean_the_reference = reference->is_mean;
    program.mask_input = *mask;
    const auto to_mm = grid_to_mm(request);
    if (!to_mm) {
        return std::unexpected(to_mm.error());
    }
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            program.grid.to_mm.rows[row][axis] = to_mm->rows[row][is_reversed ? 2 - axis : axis];
        }
        program.grid.to_mm.rows[row][3] = to_mm->rows[row][3];
    }
    if (const auto chosen = choose_effort(request, program); !chosen) {
        return std::unexpected(chosen.error());
    }
    const auto* gain = request.parameters.get<std::string>("gain_fields");
    program.has_gain_fields = gain == nullptr || *gain == "on";
    const auto* is_estimate_only = request.parameters.get<bool>("estimate_only");
    program.is_estimate_only = is_estimate_only != nullptr && *is_estimate_only;
    choose_levels(program);

    const auto spline = spline_choices(request, order_of(request.parameters));
    if (!spline) {
        return std::unexpected(spline.error());
    }
    SamplingRequest sampling{series, series.shape, 1, 3, *spline, {}, Masking::each_frame};
    PullBack identity;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        identity.matrix[axis][axis] = 1.0;
    }
    sampling.frames.assign(static_cast<std::size_t>(program.frames), identity);
    const auto* is_masked = request.parameters.get<bool>("mask_outside");
    sampling.masking = is_masked != nullptr && *is_masked ? Masking::shared : Masking::each_frame;
    auto plan = plan_sampling(sampling);
    if (!plan) {
        return plan;
    }
    program.sampling = plan->program.as<SamplingProgram>();
    std::vector<Workspace> workspaces = estimation_workspaces(program, plan->table.size());
    if (program.is_estimate_only) {
        // As the user counts axes, the frames are first.
        program.is_output_reversed = is_reversed;
        plan->output = {DType::float64,
                        is_reversed ? Shape{4, 4, program.frames} : Shape{program.frames, 4, 4},
                        MemoryOrder::c};
        plan->tiles = {};
    } else {
        for (Workspace& workspace : plan->workspaces) {
            if (workspace.last_reader) {
                *workspace.last_reader += realign_phases;
            }
            workspaces.push_back(std::move(workspace));
        }
    }
    plan->workspaces = std::move(workspaces);
    plan->program = Program(program);
    plan->told = {
        {"motion", static_cast<std::size_t>(RealignPhase::motion), {program.frames, motion_columns}}};
    // The estimate has one definition; resampling has two, whose places differ by nothing.
    return plan;
}

}  // namespace slab::kernels
