#include "client/command_line/scaled_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab {
namespace {

bool is_scaled(const InputFile& file) {
    return file.nifti && scaling_of(*file.nifti);
}

// Which holds what is meant of numbers that are stored so, to a rounding.
DType meant_type(DType stored) {
    switch (stored) {
    case DType::complex64:
    case DType::complex128: return stored;
    case DType::float64:
    case DType::int32:
    case DType::uint32:
    case DType::int64:
    case DType::uint64: return DType::float64;
    default: return DType::float32;
    }
}

PipelineStep scaling_step(std::size_t input, const InputFile& file, std::string name) {
    const NiftiScaling scaling = scaling_of(*file.nifti).value_or(NiftiScaling{});
    PipelineStep step{std::move(name), "map", {}, {input}};
    step.parameters.emplace("expr", fmt::format("a*({:.17g}) + ({:.17g})", scaling.slope, scaling.inter));
    step.parameters.emplace("output_dtype", std::string(name_of(meant_type(file.array.dtype))));
    return step;
}

// One that no step of the user's has.
std::string fresh_name(const std::vector<PipelineStep>& steps, std::size_t input) {
    std::string name = fmt::format("scale input {}", input + 1);
    while (std::ranges::any_of(steps, [&name](const PipelineStep& step) { return step.name == name; })) {
        name += "'";
    }
    return name;
}

Expected<bool> moves_elements(const PreparedJob& job, Connection& daemon) {
    if (job.files.size() != 1 || job.format != OutputFormat::nifti || job.request.keep) {
        return false;
    }
    const Expected<PlannedJob> plan = daemon.plan(job.request);
    return plan ? Expected<bool>(plan->only_moves) : std::unexpected(plan.error());
}

}  // namespace

Expected<void> scale_inputs(PreparedJob& job, Connection& daemon) {
    if (std::ranges::none_of(job.files, is_scaled)) {
        return {};
    }
    const Expected<bool> moves = moves_elements(job, daemon);
    if (!moves || *moves) {
        return moves ? Expected<void>() : std::unexpected(moves.error());
    }
    std::vector<PipelineStep>& steps = job.request.steps;
    if (steps.empty()) {
        PipelineStep only{job.request.kernel, job.request.kernel, std::move(job.request.parameters), {}};
        for (std::size_t input = 0; input < job.files.size(); ++input) {
            only.inputs.emplace_back(input);
        }
        steps.push_back(std::move(only));
        job.request.kernel.clear();
        job.request.parameters.clear();
    }
    std::vector<PipelineStep> scaling;
    for (std::size_t input = 0; input < job.files.size(); ++input) {
        if (!is_scaled(job.files[input])) {
            continue;
        }
        const std::string name = fresh_name(steps, input);
        const PipelineStep::Input stored = input;
        const PipelineStep::Input meant = name;
        for (PipelineStep& step : steps) {
            std::ranges::replace(step.inputs, stored, meant);
        }
        scaling.push_back(scaling_step(input, job.files[input], name));
    }
    steps.insert(steps.begin(), scaling.begin(), scaling.end());
    return {};
}

}  // namespace slab
