#include "daemon/scheduling/step_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace slab::daemon {
namespace {

using kernels::AxisOrder;

std::optional<Error> check_inputs(const kernels::KernelDescription& kernel,
                                  const std::vector<ArrayDescription>& inputs) {
    const bool repeats =
        !kernel.inputs.empty() && kernel.inputs.back().count == kernels::InputCount::one_or_more;
    if (repeats ? inputs.size() < kernel.inputs.size() : inputs.size() != kernel.inputs.size()) {
        std::string names;
        for (const kernels::InputDescription& input : kernel.inputs) {
            names += (names.empty() ? "" : ", ") + input.name;
        }
        return Error{ErrorKind::usage,
                     fmt::format("{} takes {}{} input{} ({}{}), {} {} given", kernel.name,
                                 kernel.inputs.size(), repeats ? " or more" : "",
                                 kernel.inputs.size() == 1 && !repeats ? "" : "s", names,
                                 repeats ? "..." : "", inputs.size(), inputs.size() == 1 ? "was" : "were"),
                     "", fmt::format("See: slab kernels {}", kernel.name)};
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (element_count(inputs[i].shape) == 0) {
            const std::string name =
                i + 1 < kernel.inputs.size() || !repeats
                    ? kernel.inputs[i].name
                    : fmt::format("{} ({})", kernel.inputs.back().name, i + 2 - kernel.inputs.size());
            return Error{ErrorKind::usage, fmt::format("the input {} is empty", name),
                         fmt::format("its shape is {}", to_text(inputs[i].shape)),
                         "Give an array with elements."};
        }
    }
    return std::nullopt;
}

// Whether the elements lie in both orders: no more than one axis has more than one index.
bool has_both_orders(const Shape& shape) {
    return std::ranges::count_if(shape.values(), [](std::int64_t extent) { return extent > 1; }) <= 1;
}

Expected<AxisOrder> axis_order(const kernels::KernelDescription& kernel,
                               const std::vector<ArrayDescription>& inputs) {
    const auto is_fortran = [](const ArrayDescription& array) {
        return array.order == MemoryOrder::fortran && !has_both_orders(array.shape);
    };
    const auto is_c = [](const ArrayDescription& array) {
        return array.order == MemoryOrder::c && !has_both_orders(array.shape);
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

// Sums of sizes stay far inside 63 bits.
std::optional<Error> check_sizes(const kernels::KernelPlan& plan,
                                 const std::vector<ArrayDescription>& inputs) {
    constexpr std::int64_t largest_array = std::int64_t{1} << 58;
    const auto is_huge = [](const ArrayDescription& array) {
        return !checked_byte_count(array) || byte_count(array) > largest_array;
    };
    const auto holds_huge = [&](const kernels::Workspace& workspace) { return is_huge(workspace.array); };
    if (is_huge(plan.output) || std::ranges::any_of(inputs, is_huge) ||
        std::ranges::any_of(plan.workspaces, holds_huge)) {
        return Error{ErrorKind::refused, "the job does not fit in any volume",
                     fmt::format("its output has shape {}", to_text(plan.output.shape)),
                     "Work on a part of the array."};
    }
    return std::nullopt;
}

Expected<StepPlan> plan_step(StepRequest request, std::vector<ArrayDescription> inputs) {
    const kernels::KernelDescription& description = request.kernel->describe();
    if (auto problem = check_inputs(description, inputs)) {
        return std::unexpected(*problem);
    }
    const auto order = axis_order(description, inputs);
    if (!order) {
        return std::unexpected(order.error());
    }
    const bool reversed_axes = *order == AxisOrder::reversed;
    kernels::PlanRequest kernel_request{std::move(inputs), request.parameters, *order};
    for (ArrayDescription& input : kernel_request.inputs) {
        input.shape = reversed_axes ? reversed(input.shape) : input.shape;
        input.order = MemoryOrder::c;
    }
    if (reversed_axes) {
        kernel_request.parameters.reverse_axes();
    }
    auto plan = request.kernel->plan(kernel_request);
    if (!plan) {
        return std::unexpected(plan.error());
    }
    if (auto problem = check_sizes(*plan, kernel_request.inputs)) {
        return std::unexpected(*problem);
    }
    plan->is_answer = plan->is_answer && element_count(plan->output.shape) <= kernels::most_answer_elements;
    StepPlan step{.name = std::move(request.name),
                  .kernel = request.kernel,
                  .parameters = std::move(request.parameters),
                  .plan = std::move(*plan),
                  .output = {},
                  .input_shapes = {},
                  .inputs = {}};
    step.output = step.plan.output;
    if (reversed_axes) {
        step.output.shape = reversed(step.output.shape);
        step.output.order = MemoryOrder::fortran;
    }
    for (const ArrayDescription& input : kernel_request.inputs) {
        step.input_shapes.push_back(input.shape);
    }
    return step;
}

}  // namespace

const ArrayDescription& StepPlan::target(std::size_t phase) const {
    const std::size_t own = phase - first_phase;
    return own < plan.workspaces.size() ? plan.workspaces[own].array : plan.output;
}

const kernels::TilePreference& StepPlan::tiles(std::size_t phase) const {
    const std::size_t own = phase - first_phase;
    return own < plan.workspaces.size() ? plan.workspaces[own].tiles : plan.tiles;
}

std::string pipeline_name(std::span<const std::string> kernels) {
    constexpr std::size_t longest = 80;
    std::string name;
    for (const std::string& kernel : kernels) {
        name += (name.empty() ? "" : " > ") + kernel;
    }
    if (name.size() > longest) {
        name.resize(longest - 3);
        name += "...";
    }
    return name;
}

Expected<std::vector<StepPlan>> plan_steps(std::vector<StepRequest> requests,
                                           std::span<const ArrayDescription> job_inputs) {
    std::vector<StepPlan> steps;
    std::size_t phase = 0;
    for (StepRequest& request : requests) {
        std::vector<ArrayDescription> inputs;
        std::vector<std::size_t> sources;
        for (const StepInput& input : request.inputs) {
            const bool is_given = input.from == StepInput::From::input;
            inputs.push_back(is_given ? job_inputs[input.number] : steps[input.number].output);
            sources.push_back(is_given ? input.number
                                       : job_inputs.size() + steps[input.number].output_phase());
        }
        const std::string name = request.name;
        auto step = plan_step(std::move(request), std::move(inputs));
        if (!step) {
            Error error = step.error();
            if (requests.size() > 1) {
                error.what = fmt::format("step '{}': {}", name, error.what);
            }
            return std::unexpected(std::move(error));
        }
        step->inputs = std::move(sources);
        step->first_phase = phase;
        phase = step->output_phase() + 1;
        steps.push_back(std::move(*step));
    }
    return steps;
}

}  // namespace slab::daemon
