#include "client/command_line/motion_outputs.hpp"
#include "client/formats/nifti/nifti_affine.hpp"
#include "client/motion/frame_motion.hpp"
#include "common/protocol/message.hpp"
#include "common/protocol/table_json.hpp"

#include <algorithm>

namespace slab {
namespace {

std::optional<AffineMatrix> matrix_in(const Json& json) {
    const auto table = table_from_json(json, "affine");
    if (!table || table->columns != 4 || table->rows < 3) {
        return std::nullopt;
    }
    AffineMatrix matrix;
    for (std::size_t i = 0; i < 12; ++i) {
        matrix.rows[i / 4][i % 4] = table->values[i];
    }
    return matrix;
}

Point sizes_in(const Json& json) {
    Point sizes{1, 1, 1};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const Json& size = json.is_array() ? json[std::min(axis, json.size() - 1)] : json;
        sizes[axis] = size.is_number() ? size.get<double>() : 1.0;
    }
    return sizes;
}

// The series is as large as what the step makes of it, or, where that is its motion alone, as what it reads.
std::optional<ArrayDescription> series_of(const PreparedJob& job, const PlannedJob& plan,
                                          const PlannedJob& step) {
    if (step.output && step.output->shape.rank == series_rank) {
        return step.output;
    }
    if (!plan.steps.empty() && &step != &plan.steps.front()) {
        return (&step - 1)->output;
    }
    return job.request.inputs.empty() ? std::nullopt : std::optional(job.request.inputs.front().array);
}

std::optional<AffineMatrix> world_of_file(const PreparedJob& job, const PlannedJob& step) {
    const std::size_t input = step.grid ? step.grid->input : 0;
    if (input >= job.files.size() || !job.files[input].nifti) {
        return std::nullopt;
    }
    const WorldMatrix world = world_in_mm(*job.files[input].nifti);
    if (!step.grid) {
        return AffineMatrix{world};
    }
    const CarriedWorld moved = carried(world, step.grid->map);
    return moved.has_meaning ? std::optional(AffineMatrix{moved.matrix}) : std::nullopt;
}

}  // namespace

const PlannedJob& motion_step(const PlannedJob& plan) {
    const auto step = std::ranges::find_if(plan.steps, [](const PlannedJob& one) {
        return std::ranges::find(one.tables, motion_table_name) != one.tables.end();
    });
    return step == plan.steps.end() ? plan : *step;
}

Expected<MotionGrid> motion_grid_of(const PreparedJob& job, const PlannedJob& plan) {
    const PlannedJob& step = motion_step(plan);
    const Json parameters = json_from_text(step.json).value("parameters", Json::object());
    const auto series = series_of(job, plan, step);
    if (!series || series->shape.rank != series_rank) {
        return std::unexpected(Error{ErrorKind::failed, "the grid of the frames is not known",
                                     "the plan tells no series of four dimensions",
                                     "Give --motion-out none, and take the motion from --json."});
    }
    const bool are_frames_first = text_or(parameters, "batch") == "first";
    MotionGrid grid;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        grid.extents[axis] = series->shape[static_cast<int>(axis) + (are_frames_first ? 1 : 0)];
    }
    const auto affine = parameters.find("affine");
    const auto sizes = parameters.find("voxel_size");
    std::optional<AffineMatrix> to_mm = affine != parameters.end() ? matrix_in(*affine) : std::nullopt;
    if (!to_mm && sizes == parameters.end() && !are_frames_first) {
        to_mm = world_of_file(job, step);
    }
    grid.handedness = to_mm ? Handedness::of_world : Handedness::unknown;
    grid.to_mm = to_mm ? *to_mm : diagonal(sizes != parameters.end() ? sizes_in(*sizes) : Point{1, 1, 1});
    return grid;
}

}  // namespace slab
