#include "daemon/scheduling/job_planning.hpp"

#include "common/units/byte_size.hpp"

#include <fmt/format.h>

namespace slab::daemon {
namespace {

Error no_room_for_guests(const JobPlan& plan, const Room& room) {
    return {ErrorKind::refused, "the output does not fit in the guests' memory",
            fmt::format("it needs {} at once{}; {} are allowed", byte_size_text(plan.least_bytes),
                        room.output_stays ? ", as it goes to no file" : "", byte_size_text(room.most_bytes)),
            room.output_stays ? "Write it to a file: it then streams through a part of the memory. Or raise "
                                "max_memory, or guests.memory in the daemon's slabd.toml."
                              : "Raise max_memory, or guests.memory in the daemon's slabd.toml."};
}

Error does_not_fit(const JobPlan& plan, const Room& room) {
    const bool works_in_bands = plan.steps.back().kernel->band_reads != nullptr;
    return {
        ErrorKind::refused, "the job does not fit in the volume",
        fmt::format(
            "it needs at least {} at once ({} of input, {} of output{}{}); {} are allowed",
            byte_size_text(plan.least_bytes), byte_size_text(plan.bytes_in), byte_size_text(plan.bytes_out),
            !works_in_bands     ? ", and the kernel cannot work in bands"
            : room.output_stays ? ", which stays in the volume"
                                : "",
            plan.work.bytes > 0
                ? fmt::format(", {} {}", byte_size_text(plan.work.bytes),
                              plan.steps.size() == 1 ? "of the kernel's own" : "of intermediate arrays")
                : "",
            byte_size_text(room.most_bytes)),
        room.output_stays && works_in_bands
            ? "Write the result to a file instead of keeping it, or give the volume more memory."
            : "Raise --max-memory, or give the volume more memory (volume.size in the daemon's slabd.toml)."};
}

Expected<std::vector<StepPlan>> steps_of_guests(const GuestOutput& wanted) {
    auto step = guest_step(wanted);
    if (!step) {
        return std::unexpected(std::move(step.error()));
    }
    std::vector<StepPlan> steps;
    steps.push_back(std::move(*step));
    return steps;
}

}  // namespace

Expected<JobPlan> plan_job(JobPlanRequest request) {
    auto steps = request.guests ? steps_of_guests(*request.guests)
                                : plan_steps(std::move(request.steps), request.inputs, request.worlds);
    if (!steps) {
        return std::unexpected(steps.error());
    }
    JobPlan plan;
    plan.steps = std::move(*steps);
    plan.inputs = std::move(request.inputs);
    plan.output = plan.steps.back().output;
    plan.kernel_output_shape = plan.steps.back().plan.output.shape;
    for (const ArrayDescription& input : plan.inputs) {
        plan.kernel_input_shapes.push_back(input.order == MemoryOrder::fortran ? reversed(input.shape)
                                                                               : input.shape);
        plan.bytes_in += byte_count(input);
    }
    plan.bytes_out = byte_count(plan.output);
    plan.tile_bytes = request.tile_bytes;

    const Room& room = request.room;
    lay_out_whole(plan);
    const bool fits = plan.holds_bytes <= room.most_bytes;
    if ((!fits || room.prefers_ring) && lay_out_ring(plan, room)) {
        return plan;
    }
    if (!fits) {
        return std::unexpected(request.guests ? no_room_for_guests(plan, room) : does_not_fit(plan, room));
    }
    if (room.wants_least) {
        JobPlan tightest = plan;
        lay_out_ring(tightest, {0, room.output_stays, false, false});
        plan.least_bytes = tightest.least_bytes;
    }
    return plan;
}

}  // namespace slab::daemon
