#include "daemon/scheduling/job_plan.hpp"

#include "common/units/byte_size.hpp"
#include "daemon/scheduling/band_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

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

using kernels::AxisOrder;

// One-dimensional arrays have both orders.
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

Error does_not_fit(const JobPlan& plan, const Room& room) {
    return {
        ErrorKind::refused, "the job does not fit in the volume",
        fmt::format("it needs at least {} at once ({} of input, {} of output{}); {} are allowed",
                    byte_size_text(plan.least_bytes), byte_size_text(plan.bytes_in),
                    byte_size_text(plan.bytes_out),
                    plan.kernel->band_reads == nullptr ? ", and the kernel cannot work in bands"
                    : room.output_stays                ? ", which stays in the volume"
                                                       : "",
                    byte_size_text(room.most_bytes)),
        room.output_stays && plan.kernel->band_reads != nullptr
            ? "Write the result to a file instead of keeping it, or give the volume more memory."
            : "Raise --max-memory, or give the volume more memory (volume.size in the daemon's slabd.toml)."};
}

// FNV-1a.
class Fingerprint {
  public:
    void add(const void* data, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) {
            value_ = (value_ ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3ULL;
        }
    }
    void add(std::int64_t number) { add(&number, sizeof(number)); }
    void add(std::span<const std::int64_t> numbers) { add(numbers.data(), numbers.size_bytes()); }
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

}  // namespace

std::int64_t JobPlan::band_count() const {
    std::int64_t bands = 0;
    for (const PhasePlan& phase : phases) {
        bands = std::max(bands, phase.band_count);
    }
    return bands;
}

BandPlan JobPlan::band(std::size_t phase_number, std::int64_t number) const {
    const PhasePlan& phase = phases[phase_number];
    const auto axis = static_cast<std::size_t>(phase.band_axis);
    Box box = whole(kernel_output_shape);
    box.begin[axis] = number * phase.band_rows;
    box.end[axis] = std::min(box.end[axis], box.begin[axis] + phase.band_rows);

    BandPlan band;
    band.tiles =
        cut_into_tiles(box, static_cast<std::int64_t>(size_of(output.dtype)), phase.kernel.tiles, tile_bytes);
    const std::int64_t row_bytes = bytes_out / kernel_output_shape.extents[axis];
    band.output = {box.begin[axis] * row_bytes, box.end[axis] * row_bytes};
    for (std::size_t input = 0; input < inputs.size(); ++input) {
        const Shape& shape = kernel_input_shapes[input];
        const std::int64_t bytes = byte_count(inputs[input]);
        if (ring.input_at[input] < 0) {
            band.inputs.push_back({0, bytes});
            continue;
        }
        const int input_axis = kernels::band_axis_of(shape);
        const kernels::AxisRange range = kernel->band_reads({&phase.kernel,
                                                             kernel_input_shapes,
                                                             input,
                                                             input_axis,
                                                             phase.band_axis,
                                                             {box.begin[axis], box.end[axis]}});
        const std::int64_t input_row_bytes = bytes / shape[input_axis];
        band.inputs.push_back({range.begin * input_row_bytes, range.end * input_row_bytes});
    }
    return band;
}

std::uint64_t JobPlan::fingerprint() const {
    Fingerprint print;
    const std::string& name = kernel->describe().name;
    print.add(name.data(), name.size());
    print.add(static_cast<std::int64_t>(output.dtype));
    print.add(kernel_output_shape.values());
    for (const Shape& shape : kernel_input_shapes) {
        print.add(shape.values());
    }
    for (std::size_t phase = 0; phase < phases.size(); ++phase) {
        const PhasePlan& pass = phases[phase];
        print.add(pass.band_rows);
        print.add(pass.band_count);
        print.add(band(phase, 0).tiles.tile);
    }
    print.add(ring.slots);
    print.add(ring.slot_bytes);
    print.add(ring.output_at);
    print.add(ring.input_at);
    return print.value();
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

    kernels::PlanRequest kernel_request{request.inputs, request.parameters, *order};
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
    }
    plan.bytes_out = byte_count(plan.output);
    plan.tile_bytes = request.tile_bytes;
    plan.phases.push_back({std::move(*kernel_plan), 0, 0, 0});

    const Room& room = request.room;
    lay_out_whole(plan);
    const bool fits = plan.holds_bytes <= room.most_bytes;
    if ((!fits || room.prefers_ring) && lay_out_ring(plan, room)) {
        return plan;
    }
    if (!fits) {
        return std::unexpected(does_not_fit(plan, room));
    }
    if (room.wants_least) {
        JobPlan tightest = plan;
        lay_out_ring(tightest, {0, room.output_stays, false, false});
        plan.least_bytes = tightest.least_bytes;
    }
    return plan;
}

}  // namespace slab::daemon
