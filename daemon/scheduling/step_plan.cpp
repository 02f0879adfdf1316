#include "daemon/scheduling/step_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace slab::daemon {
namespace {

using kernels::AxisOrder;

// Names of the parameters that name inputs, in the order of those.
Expected<std::vector<std::string>> image_inputs(const kernels::KernelDescription& kernel,
                                                const kernels::ParameterValues& values, std::size_t inputs) {
    std::vector<std::pair<std::size_t, std::string>> images;
    for (const kernels::ParameterDescription& parameter : kernel.parameters) {
        if (parameter.type != kernels::ParameterType::image) {
            continue;
        }
        if (const auto number = kernels::input_of(values, parameter.name)) {
            images.emplace_back(*number, parameter.name);
        }
    }
    std::ranges::sort(images);
    const std::size_t first = inputs - std::min(inputs, images.size());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (images[i].first != first + i || first < kernel.inputs.size()) {
            return std::unexpected(Error{
                ErrorKind::usage, fmt::format("{} cannot be input {}", images[i].second, images[i].first + 1),
                fmt::format("of {} inputs the last {} are for such parameters, each for one", inputs,
                            images.size()),
                "Give each an input of its own, behind those of the kernel."});
        }
        names.push_back(images[i].second);
    }
    return names;
}

// given: those of the kernel itself, and of parameters that name inputs.
std::optional<Error> check_inputs(const kernels::KernelDescription& kernel,
                                  const kernels::ParameterValues& values,
                                  const std::vector<ArrayDescription>& given) {
    const auto images = image_inputs(kernel, values, given.size());
    if (!images) {
        return images.error();
    }
    for (std::size_t i = 0; i < images->size(); ++i) {
        if (element_count(given[given.size() - images->size() + i].shape) == 0) {
            return Error{ErrorKind::usage, fmt::format("the input of {} is empty", (*images)[i]), "",
                         "Give an array with elements."};
        }
    }
    const std::span inputs(given.data(), given.size() - images->size());
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
            return Error{ErrorKind::usage,
                         name == "input" ? "the input is empty" : fmt::format("the input {} is empty", name),
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

// An array that lies in both orders goes with the others; among such the one that it is said to have counts, so that what
// is made of a NIfTI file's array is such an array again.
Expected<AxisOrder> axis_order(const kernels::KernelDescription& kernel,
                               const std::vector<ArrayDescription>& inputs) {
    const auto is_called = [](MemoryOrder order) {
        return
            [order](const ArrayDescription& array) { return array.order == order && array.shape.rank > 1; };
    };
    const auto is_only = [](MemoryOrder order) {
        return [order](const ArrayDescription& array) {
            return array.order == order && !has_both_orders(array.shape);
        };
    };
    if (std::ranges::any_of(inputs, is_only(MemoryOrder::c))) {
        if (std::ranges::none_of(inputs, is_only(MemoryOrder::fortran))) {
            return AxisOrder::as_given;
        }
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("{} got arrays of both memory orders", kernel.name),
                  "one input is in C order, another in Fortran order, as NIfTI files are",
                  "Convert one, in Python: numpy.asfortranarray(a), or numpy.ascontiguousarray(a)."});
    }
    return std::ranges::any_of(inputs, is_called(MemoryOrder::fortran)) ? AxisOrder::reversed
                                                                        : AxisOrder::as_given;
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

// Where a step's output lies in the grid of one of its own inputs, axes as the user sees them.
std::optional<StepPlan::JobGrid> grid_of(const kernels::KernelPlan& plan,
                                         const std::vector<ArrayDescription>& inputs, AxisOrder axes) {
    using Change = kernels::OutputGrid::Change;
    kernels::OutputGrid grid = plan.grid;
    if (grid.change == Change::same) {
        const auto has_shape = [&](const ArrayDescription& input) {
            return input.shape == plan.output.shape;
        };
        const auto same = std::ranges::find_if(inputs, has_shape);
        grid.change = same == inputs.end() ? Change::lost : Change::mapped;
        grid.input = static_cast<std::size_t>(same - inputs.begin());
        grid.map = GridMap::same(plan.output.shape.rank);
    }
    if (grid.change == Change::lost) {
        return std::nullopt;
    }
    return StepPlan::JobGrid{grid.input, axes == AxisOrder::reversed ? reversed(grid.map) : grid.map};
}

// The arrays and worlds that a step takes.
struct StepInputs {
    std::vector<ArrayDescription> arrays;
    std::vector<std::optional<WorldMatrix>> worlds;
};

Expected<StepPlan> plan_step(StepRequest request, StepInputs given) {
    std::vector<ArrayDescription>& inputs = given.arrays;
    const kernels::KernelDescription& description = request.kernel->describe();
    if (auto problem = check_inputs(description, request.parameters, inputs)) {
        return std::unexpected(*problem);
    }
    const auto order = axis_order(description, inputs);
    if (!order) {
        return std::unexpected(order.error());
    }
    const bool reversed_axes = *order == AxisOrder::reversed;
    kernels::PlanRequest kernel_request{std::move(inputs), request.parameters, *order,
                                        std::move(given.worlds)};
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
    step.grid = grid_of(step.plan, kernel_request.inputs, *order);
    step.only_moves = step.plan.only_moves;
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

template <typename WorldOfInput>
std::optional<WorldMatrix> world_through(const std::optional<StepPlan::JobGrid>& grid,
                                         const WorldOfInput& world_of) {
    const auto world = grid ? world_of(grid->input) : std::nullopt;
    if (!world) {
        return std::nullopt;
    }
    const CarriedWorld through = carried(*world, grid->map);
    return through.has_meaning ? std::optional(through.matrix) : std::nullopt;
}

// Of what its kernel told of the step's own inputs, what that means of the job's.
void lead_back_to_job(StepPlan& step, const std::vector<StepInput>& taken,
                      const std::vector<StepPlan>& before) {
    const StepInput& first = taken.front();
    step.only_moves =
        step.only_moves &&
        (first.from == StepInput::From::input ? first.number == 0 : before[first.number].only_moves);
    if (!step.grid) {
        return;
    }
    const StepInput& source = taken[step.grid->input];
    if (source.from == StepInput::From::input) {
        step.grid->input = source.number;
        return;
    }
    const auto& earlier = before[source.number].grid;
    step.grid = earlier ? std::optional(StepPlan::JobGrid{earlier->input, earlier->map * step.grid->map})
                        : std::nullopt;
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
                                           std::span<const ArrayDescription> job_inputs,
                                           std::span<const std::optional<WorldMatrix>> worlds) {
    std::vector<StepPlan> steps;
    std::size_t phase = 0;
    const auto world_of = [worlds](std::size_t input) {
        return input < worlds.size() ? worlds[input] : std::nullopt;
    };
    for (StepRequest& request : requests) {
        StepInputs inputs;
        std::vector<std::size_t> sources;
        for (const StepInput& input : request.inputs) {
            const bool is_given = input.from == StepInput::From::input;
            inputs.arrays.push_back(is_given ? job_inputs[input.number] : steps[input.number].output);
            inputs.worlds.push_back(is_given ? world_of(input.number)
                                             : world_through(steps[input.number].grid, world_of));
            sources.push_back(is_given ? input.number
                                       : job_inputs.size() + steps[input.number].output_phase());
        }
        const std::string name = request.name;
        const std::vector<StepInput> taken = request.inputs;
        auto step = plan_step(std::move(request), std::move(inputs));
        if (!step) {
            Error error = step.error();
            if (requests.size() > 1) {
                error.what = fmt::format("step '{}': {}", name, error.what);
            }
            return std::unexpected(std::move(error));
        }
        lead_back_to_job(*step, taken, steps);
        step->inputs = std::move(sources);
        step->first_phase = phase;
        phase = step->output_phase() + 1;
        steps.push_back(std::move(*step));
    }
    return steps;
}

}  // namespace slab::daemon
