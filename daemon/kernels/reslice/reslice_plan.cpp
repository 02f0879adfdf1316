#include "daemon/kernels/reslice/frame_transforms.hpp"
#include "daemon/kernels/reslice/reslice.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

constexpr int space_rank = 3;

// Where the axes lie, in memory and as the user counts them.
struct SeriesAxes {
    int batch_axes = 0;
    bool are_batches_first = false;  // in memory
    bool are_reversed = false;       // memory against the user

    int first_space_axis() const { return are_batches_first ? batch_axes : 0; }
    int first_batch_axis() const { return are_batches_first ? 0 : space_rank; }
    // The user's axis of space of a memory axis of space, both from 0; and back.
    std::size_t turned(std::size_t space_axis) const { return are_reversed ? 2 - space_axis : space_axis; }
};

std::array<std::int64_t, 3> users_extents(const Shape& shape, const SeriesAxes& axes) {
    std::array<std::int64_t, 3> extents{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        extents[axes.turned(axis)] = shape[axes.first_space_axis() + static_cast<int>(axis)];
    }
    return extents;
}

std::int64_t order_of(const ParameterValues& parameters) {
    const auto* order = parameters.get<std::string>("order");
    if (order == nullptr || *order == "cubic") {
        return 3;
    }
    if (*order == "nearest") {
        return 0;
    }
    if (*order == "linear") {
        return 1;
    }
    if (*order == "quintic") {
        return 5;
    }
    return order->size() == 1 ? order->front() - '0' : -1;
}

// The products of A^-1, R^-1 and A leave whole numbers a few roundings off; back on them, or voxels on the outermost
// planes of a frame that was not turned would count as outside. It moves no coordinate by 1e-10 voxels while extents are
// below 1000.
double whole_if_meant(double value, double rounding) {
    const double whole = std::round(value);
    return std::abs(value - whole) <= rounding ? whole : value;
}

PullBack pull_back_of(const AffineMatrix& users, const SeriesAxes& axes) {
    PullBack pull_back;
    for (std::size_t row = 0; row < 3; ++row) {
        const auto& from = users.rows[axes.turned(row)];
        for (std::size_t column = 0; column < 3; ++column) {
            pull_back.matrix[row][column] = whole_if_meant(from[axes.turned(column)], 5e-14);
        }
        pull_back.offset[row] = whole_if_meant(from[3], 2e-12);
    }
    return pull_back;
}

// Which transform each frame has, in memory order of the batch axes; empty where the table does not fit.
std::vector<std::size_t> transform_of_frames(const Shape& shape, const SeriesAxes& axes,
                                             std::size_t transforms) {
    std::array<std::int64_t, 2> extents{1, 1};  // in memory order
    const auto used = extents.end() - axes.batch_axes;
    for (int axis = 0; axis < axes.batch_axes; ++axis) {
        used[axis] = shape[axes.first_batch_axis() + axis];
    }
    const auto slow = static_cast<std::size_t>(extents[0]);
    const auto fast = static_cast<std::size_t>(extents[1]);
    // As the user counts them: the first batch axis is the slower.
    const std::size_t users_first = axes.are_reversed ? fast : slow;
    const std::size_t users_second = axes.are_reversed ? slow : fast;
    const bool is_each = transforms == slow * fast;
    const bool is_first = axes.batch_axes == 2 && transforms == users_first;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; (is_each || is_first) && i < slow; ++i) {
        for (std::size_t j = 0; j < fast; ++j) {
            const std::size_t first = axes.are_reversed ? j : i;
            const std::size_t second = axes.are_reversed ? i : j;
            found.push_back(is_each ? first * users_second + second : first);
        }
    }
    return found;
}

std::string frames_text(const Shape& shape, const SeriesAxes& axes) {
    std::int64_t frames = 1;
    for (int axis = 0; axis < axes.batch_axes; ++axis) {
        frames *= shape[axes.first_batch_axis() + axis];
    }
    return fmt::format("the series has {} frame{}", frames, frames == 1 ? "" : "s");
}

}  // namespace

Expected<KernelPlan> plan_reslice(const PlanRequest& request) {
    if (request.inputs.size() != 1) {
        return std::unexpected(usage("reslice takes one series",
                                     fmt::format("{} inputs are given", request.inputs.size()),
                                     "Give one array."));
    }
    const Shape& shape = request.inputs[0].shape;
    if (shape.rank < space_rank || shape.rank > max_rank) {
        return std::unexpected(usage("reslice takes an array of 3 to 5 dimensions",
                                     fmt::format("the input has {} dimensions", shape.rank),
                                     "Give a volume or a series of volumes; a picture goes through affine."));
    }
    SeriesAxes axes;
    axes.batch_axes = shape.rank - space_rank;
    axes.are_reversed = request.axes == AxisOrder::reversed;
    const auto* batch = request.parameters.get<std::string>("batch");
    axes.are_batches_first = (batch != nullptr && *batch == "first") != axes.are_reversed;

    const auto spline = spline_choices(request, order_of(request.parameters));
    if (!spline) {
        return std::unexpected(spline.error());
    }
    const auto transforms = frame_transforms(request, users_extents(shape, axes));
    if (!transforms) {
        return std::unexpected(transforms.error());
    }
    const auto chosen = transform_of_frames(shape, axes, transforms->motions.size());
    if (chosen.empty()) {
        return std::unexpected(
            usage("the transforms do not fit the series",
                  fmt::format("the table holds {} transform{}, {}", transforms->motions.size(),
                              transforms->motions.size() == 1 ? "" : "s", frames_text(shape, axes)),
                  "Give one transform for each frame; see batch for which axis counts them."));
    }
    std::vector<PullBack> pull_backs;
    for (const AffineMatrix& motion : transforms->motions) {
        pull_backs.push_back(
            pull_back_of(inverse(transforms->to_mm) * inverse(motion) * transforms->to_mm, axes));
    }
    SamplingRequest sampling{request.inputs[0], shape, axes.first_space_axis(), space_rank, *spline, {}, {}};
    for (const std::size_t transform : chosen) {
        sampling.frames.push_back(pull_backs[transform]);
    }
    const auto* is_masked = request.parameters.get<bool>("mask_outside");
    sampling.masking = is_masked != nullptr && *is_masked ? Masking::shared : Masking::each_frame;
    return plan_sampling(sampling);
}

}  // namespace slab::kernels
