#include "daemon/admission/admission.hpp"

#include "common/errors/nearest_name.hpp"
#include "common/units/byte_size.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/mover/mover_messages.hpp"
#include "daemon/scheduling/job_planning.hpp"

#include <fmt/format.h>

namespace slab::daemon {
namespace {

Error unknown_kernel(const std::string& name) {
    std::vector<std::string> names;
    std::string list;
    for (const kernels::Kernel& kernel : kernels::all_kernels()) {
        names.push_back(kernel.describe().name);
        list += (list.empty() ? "" : ", ") + names.back();
    }
    const std::string nearest = nearest_name(name, names);
    return {ErrorKind::usage, fmt::format("there is no kernel '{}'", name.substr(0, 80)),
            fmt::format("this daemon has {}", list),
            nearest.empty() ? "See: slab kernels" : fmt::format("Did you mean '{}'?", nearest)};
}

Expected<std::int64_t> size_or(const std::string& text, std::string_view name, std::int64_t whole,
                               std::int64_t fallback) {
    if (text.empty()) {
        return fallback;
    }
    const auto bytes = parse_byte_size(text, whole);
    if (!bytes || *bytes <= 0) {
        return std::unexpected(Error{ErrorKind::usage,
                                     fmt::format("{} cannot be '{}'", name, text.substr(0, 40)),
                                     "it takes a size above zero", "Write it like 512MiB or 6GiB."});
    }
    return *bytes;
}

Expected<StepRequest> read_step(const GivenStep& given) {
    const kernels::Kernel* const kernel = kernels::find_kernel(given.kernel);
    if (kernel == nullptr) {
        return std::unexpected(unknown_kernel(given.kernel));
    }
    auto parameters = read_parameters(kernel->describe(), given.parameters);
    if (!parameters) {
        return std::unexpected(parameters.error());
    }
    return StepRequest{given.name, kernel, std::move(*parameters), given.inputs};
}

}  // namespace

Expected<JobPlan> Admission::plan(const JobRequest& request, For purpose) const {
    if (request.inputs.size() > most_mover_inputs) {
        return std::unexpected(Error{ErrorKind::usage,
                                     fmt::format("{} inputs are too many", request.inputs.size()),
                                     fmt::format("a job has at most {}", most_mover_inputs), ""});
    }
    const auto tile_bytes = size_or(request.tile_bytes, "tile_bytes", 0, settings_->tiles.bytes);
    const std::int64_t most = request.guests ? guest_bytes_ : volume_bytes_;
    const auto max_memory = size_or(request.max_memory, "max_memory", most, most);
    if (!tile_bytes || !max_memory) {
        return std::unexpected((tile_bytes ? max_memory : tile_bytes).error());
    }
    // Guests' memory is as new as an embedded instance's, but for what is there from the job before.
    const Room room{std::min(most, *max_memory), request.keep, prefers_ring_ || request.guests,
                    purpose == For::showing};
    JobPlanRequest plan_request{{}, {}, *tile_bytes, room, {}, request.guests};
    for (const GivenStep& given : request.steps) {
        auto step = read_step(given);
        if (!step) {
            Error error = step.error();
            if (request.steps.size() > 1) {
                error.what = fmt::format("step '{}': {}", given.name, error.what);
            }
            return std::unexpected(std::move(error));
        }
        plan_request.steps.push_back(std::move(*step));
    }
    for (const InputFile& input : request.inputs) {
        plan_request.inputs.push_back(input.array);
        plan_request.worlds.push_back(input.world);
    }
    return plan_job(std::move(plan_request));
}

}  // namespace slab::daemon
