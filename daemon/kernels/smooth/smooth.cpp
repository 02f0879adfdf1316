#include "daemon/kernels/smooth/smooth.hpp"

#include "daemon/kernels/gaussian/gaussian.hpp"
#include "daemon/kernels/reslice/frame_transforms.hpp"
#include "daemon/kernels/windows/window_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

constexpr int space_rank = 3;
const double fwhm_of_sigma = std::sqrt(8.0 * std::log(2.0));

const KernelDescription& describe() {
    static const KernelDescription description = [] {
        KernelDescription smooth{
            .name = "smooth",
            .summary = "smooth volumes by a Gaussian whose width is given in mm",
            .details = "A Gaussian of the full width at half maximum `fwhm` in mm along the three axes of "
                       "space: the kernel gaussian, with sigma = fwhm / (sqrt(8 ln 2) * voxel size). "
                       "Voxel sizes are the file's (NIfTI), or those of affine or voxel_size; frames of a "
                       "series are smoothed each for itself. Everything else is as of gaussian.",
            .inputs = {{"input", "3 to 5 dimensions, three of space"}},
            .parameters =
                {{"fwhm",
                  ParameterType::real_per_axis,
                  "full width at half maximum in mm, of all axes of space or of each",
                  ">= 0",
                  {},
                  ""},
                 {"batch",
                  ParameterType::choice,
                  "where the frames' axes are",
                  "",
                  {"first", "last"},
                  "last"},
                 {"voxel_size",
                  ParameterType::real_per_axis,
                  "in mm, of the axes of space; default 1",
                  "> 0",
                  {},
                  ""},
                 {"affine", ParameterType::table, "voxels to mm, instead of voxel_size: 4 x 4", "", {}, ""}},
            .dtypes = "all",
            .reads = Reads::window,
            .example = "slab run smooth func.nii.gz -o smooth.nii.gz --fwhm 5",
        };
        std::ranges::move(window_parameters(), std::back_inserter(smooth.parameters));
        return smooth;
    }();
    return description;
}

Expected<std::array<double, space_rank>> widths_of(const PlanRequest& request) {
    const auto* given = request.parameters.get<std::vector<double>>("fwhm");
    if (given == nullptr || (given->size() != 1 && given->size() != space_rank)) {
        return std::unexpected(window_usage(
            "smooth takes fwhm in mm: one number, or one for each axis of space",
            given == nullptr ? std::string("it is not given") : fmt::format("{} are given", given->size()),
            "Give --fwhm 5, or --fwhm 5,5,6."));
    }
    std::array<double, space_rank> widths{};
    for (std::size_t axis = 0; axis < widths.size(); ++axis) {
        const bool is_reversed = request.axes == AxisOrder::reversed;
        widths[axis] =
            given->size() == 1 ? given->front() : (*given)[is_reversed ? given->size() - 1 - axis : axis];
        if (!(widths[axis] >= 0.0) || std::isinf(widths[axis])) {
            return std::unexpected(window_usage("fwhm must be a finite number of at least 0",
                                                fmt::format("number {} is {}", axis, widths[axis]),
                                                "Give a width in mm, such as 5."));
        }
    }
    return widths;
}

Expected<KernelPlan> plan(const PlanRequest& request) {
    const int rank = request.inputs[0].shape.rank;
    if (rank < space_rank) {
        return std::unexpected(window_usage(
            "smooth takes an array of 3 to 5 dimensions", fmt::format("the input has {} dimensions", rank),
            "Pictures and lines are smoothed by gaussian, whose sigma is in elements."));
    }
    const auto widths = widths_of(request);
    if (!widths) {
        return std::unexpected(widths.error());
    }
    const auto to_mm = grid_to_mm(request);
    if (!to_mm) {
        return std::unexpected(to_mm.error());
    }
    const auto* batch = request.parameters.get<std::string>("batch");
    const int first =
        batch != nullptr && *batch == "first" ? rank - space_rank : 0;  // as the user counts axes
    std::vector<double> sigma(static_cast<std::size_t>(rank), 0.0);
    for (std::size_t axis = 0; axis < space_rank; ++axis) {
        const double spacing = std::hypot(to_mm->rows[0][axis], to_mm->rows[1][axis], to_mm->rows[2][axis]);
        const std::size_t users = static_cast<std::size_t>(first) + axis;
        sigma[request.axes == AxisOrder::reversed ? sigma.size() - 1 - users : users] =
            (*widths)[axis] / fwhm_of_sigma / spacing;
    }
    PlanRequest gaussian = request;
    gaussian.parameters.set("sigma", std::move(sigma));
    gaussian.parameters.set("truncate", 4.0);
    gaussian.parameters.set("derivative", std::vector<std::int64_t>{0});
    return gaussian_kernel().plan(gaussian);
}

}  // namespace

Kernel smooth_kernel() {
    const Kernel gaussian = gaussian_kernel();
    return {describe, plan, gaussian.fill_scalar, gaussian.fill, gaussian.band_reads};
}

}  // namespace slab::kernels
