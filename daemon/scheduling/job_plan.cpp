#include "daemon/scheduling/job_plan.hpp"

#include "common/volume/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab::daemon {
namespace {

std::optional<Error> check_inputs(const kernels::KernelDescription& kernel,
                                  const std::vector<ArrayDescription>& inputs) {
    if (inputs.size() != kernel.inputs.size()) {
        std::string names;
        for (const kernels::InputDescription& input : kernel.inputs) {
            names += (names.empty() ? "" : ", ") + input.name;
        }
        return Error{ErrorKind::usage,
                     fmt::format("{} takes {} input{} ({}), {} {} given", kernel.name, kernel.inputs.size(),
                                 kernel.inputs.size() == 1 ? "" : "s", names, inputs.size(),
                                 inputs.size() == 1 ? "was" : "were"),
                     "", fmt::format("See: slab kernels {}", kernel.name)};
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (element_count(inputs[i].shape) == 0) {
            return Error{ErrorKind::usage, fmt::format("the input {} is empty", kernel.inputs[i].name),
                         fmt::format("its shape is {}", to_text(inputs[i].shape)),
                         "Give an array with elements."};
        }
    }
    return std::nullopt;
}

std::int64_t extents_for(std::int64_t bytes) {
    return round_up(std::max<std::int64_t>(bytes, 1), extent_bytes);
}

// Kernels see C order only: a Fortran-ordered array is the C-ordered one of the reversed shape. One-dimensional
// arrays are both.
enum class AxisOrder : std::uint8_t { as_given, reversed };

Expected<AxisOrder> axis_order(const kernels::KernelDescription& kernel,
                               const std::vector<ArrayDescription>& inputs) {
    const auto is_fortran = [](const ArrayDescription& array) {
        return array.order == MemoryOrder::fortran && array.shape.rank > 1;
    };
    const auto is_c = [](const ArrayDescription& array) {
        return array.order == MemoryOrder::c && array.shape.rank > 1;
    };
    if (std::ranges::none_of(inputs, is_fortran)) {
        return AxisOrder::as_given;
    }
    if (std::ranges::any_of(inputs, is_c)) {
        return std::unexpected(Error{ErrorKind::usage,
                                     fmt::format("{} got arrays of both memory orders", kernel.name),
                                     "one input is in C order, another in Fortran order",
                                     "Convert one, in Python with numpy.ascontiguousarray."});
    }
    return AxisOrder::reversed;
}

}  // namespace

int JobPlan::band_count() const {
    std::size_t bands = 0;
    for (const PhasePlan& phase : phases) {
        bands = std::max(bands, phase.bands.size());
    }
    return static_cast<int>(bands);
}

Expected<JobPlan> plan_job(JobPlanRequest request) {
    const kernels::KernelDescription& description = request.kernel->describe();
    if (auto problem = check_inputs(description, request.inputs)) {
        return std::unexpected(*problem);
    }
    const auto order = axis_order(description, request.inputs);
    if (!order) {
        return std::unexpected(order.error());
    }
    const bool reversed_axes = *order == AxisOrder::reversed;

    kernels::PlanRequest kernel_request{request.inputs, request.parameters};
    for (ArrayDescription& input : kernel_request.inputs) {
        input.shape = reversed_axes ? reversed(input.shape) : input.shape;
        input.order = MemoryOrder::c;
    }
    if (reversed_axes) {
        kernel_request.parameters.reverse_axes();
    }
    auto kernel_plan = request.kernel->plan(kernel_request);
    if (!kernel_plan) {
        return std::unexpected(kernel_plan.error());
    }

    // Sums of sizes stay far inside 63 bits.
    constexpr std::int64_t largest_array = std::int64_t{1} << 58;
    const auto too_large = [](const ArrayDescription& array) { return byte_count(array) > largest_array; };
    if (too_large(kernel_plan->output) || std::ranges::any_of(kernel_request.inputs, too_large)) {
        return std::unexpected(
            Error{ErrorKind::refused, "the job does not fit in any volume",
                  fmt::format("its output has shape {}", to_text(kernel_plan->output.shape)),
                  "Work on a part of the array."});
    }

    JobPlan plan;
    plan.kernel = request.kernel;
    plan.parameters = std::move(request.parameters);
    plan.inputs = std::move(request.inputs);
    plan.output = kernel_plan->output;
    plan.kernel_output_shape = kernel_plan->output.shape;
    if (reversed_axes) {
        plan.output.shape = reversed(plan.output.shape);
        plan.output.order = MemoryOrder::fortran;
    }
    for (const ArrayDescription& input : kernel_request.inputs) {
        plan.kernel_input_shapes.push_back(input.shape);
        plan.bytes_in += byte_count(input);
        // A file's data may start anywhere in a page: it is loaded to the same place in the extent's first page.
        constexpr std::int64_t page = 4096;
        plan.holds_bytes += extents_for(byte_count(input) + page);
    }
    plan.bytes_out = byte_count(plan.output);
    plan.holds_bytes += extents_for(plan.bytes_out);

    const TileGrid grid =
        cut_into_tiles(whole(plan.kernel_output_shape), static_cast<std::int64_t>(size_of(plan.output.dtype)),
                       kernel_plan->tiles, request.tile_bytes);
    plan.tile_count = grid.tile_count();
    plan.phases.push_back({kernel_plan->program, {{grid}}});
    return plan;
}

}  // namespace slab::daemon
