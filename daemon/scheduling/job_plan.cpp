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
        fmt::format(
            "it needs at least {} at once ({} of input, {} of output{}{}); {} are allowed",
            byte_size_text(plan.least_bytes), byte_size_text(plan.bytes_in), byte_size_text(plan.bytes_out),
            plan.kernel->band_reads == nullptr ? ", and the kernel cannot work in bands"
            : room.output_stays                ? ", which stays in the volume"
                                               : "",
            plan.work.bytes > 0 ? fmt::format(", {} of the kernel's own", byte_size_text(plan.work.bytes))
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

std::int64_t BandPlan::tile_count() const {
    std::int64_t count = 0;
    for (const TileGrid& tiles : phases) {
        count += tiles.tile_count();
    }
    return count;
}

const Shape& JobPlan::source_shape(std::size_t source) const {
    return source < inputs.size() ? kernel_input_shapes[source]
                                  : kernel_plan.workspaces[source - inputs.size()].array.shape;
}

kernels::AxisRange JobPlan::source_rows(std::size_t source, kernels::AxisRange output_rows) const {
    return kernel->band_reads({&kernel_plan, kernel_input_shapes, source,
                               kernels::band_axis_of(source_shape(source)), cut.axis, output_rows});
}

BandPlan JobPlan::band(std::int64_t number) const {
    const auto axis = static_cast<std::size_t>(cut.axis);
    Box box = whole(kernel_output_shape);
    box.begin[axis] = number * cut.rows;
    box.end[axis] = std::min(box.end[axis], box.begin[axis] + cut.rows);
    const kernels::AxisRange rows{box.begin[axis], box.end[axis]};
    const std::int64_t row_bytes = bytes_out / kernel_output_shape.extents[axis];

    BandPlan band;
    band.output = {rows.begin * row_bytes, rows.end * row_bytes};
    for (std::size_t input = 0; input < inputs.size(); ++input) {
        const std::int64_t bytes = byte_count(inputs[input]);
        if (ring.input_at[input] < 0) {
            band.inputs.push_back({0, bytes});
            continue;
        }
        const Shape& shape = kernel_input_shapes[input];
        const std::int64_t input_row_bytes = bytes / shape[kernels::band_axis_of(shape)];
        const kernels::AxisRange range = source_rows(input, rows);
        band.inputs.push_back({range.begin * input_row_bytes, range.end * input_row_bytes});
    }
    for (std::size_t i = 0; i < kernel_plan.workspaces.size(); ++i) {
        const kernels::Workspace& workspace = kernel_plan.workspaces[i];
        const int workspace_axis = kernels::band_axis_of(workspace.array.shape);
        Box part = whole(workspace.array.shape);
        if (!work.is_whole[i]) {
            const kernels::AxisRange range = source_rows(inputs.size() + i, rows);
            part.begin[static_cast<std::size_t>(workspace_axis)] = range.begin;
            part.end[static_cast<std::size_t>(workspace_axis)] = range.end;
        }
        const std::int64_t workspace_row_bytes =
            byte_count(workspace.array) / workspace.array.shape[workspace_axis];
        band.workspaces.push_back({part.begin[static_cast<std::size_t>(workspace_axis)] * workspace_row_bytes,
                                   part.end[static_cast<std::size_t>(workspace_axis)] * workspace_row_bytes});
        band.phases.push_back(cut_into_tiles(part, static_cast<std::int64_t>(size_of(workspace.array.dtype)),
                                             workspace.tiles, tile_bytes));
    }
    band.phases.push_back(
        cut_into_tiles(box, static_cast<std::int64_t>(size_of(output.dtype)), kernel_plan.tiles, tile_bytes));
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
    print.add(cut.rows);
    print.add(cut.count);
    for (const TileGrid& tiles : band(0).phases) {
        print.add(tiles.domain.begin);
        print.add(tiles.domain.end);
        print.add(tiles.tile);
    }
    print.add(work.bytes);
    print.add(work.workspace_at);
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
    const auto is_huge = [&](const kernels::Workspace& workspace) {
        return !checked_byte_count(workspace.array) || too_large(workspace.array);
    };
    if (too_large(kernel_plan->output) || std::ranges::any_of(kernel_request.inputs, too_large) ||
        std::ranges::any_of(kernel_plan->workspaces, is_huge)) {
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
    plan.kernel_plan = std::move(*kernel_plan);

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
