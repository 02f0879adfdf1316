#include "daemon/kernels/chosen_axes.hpp"
#include "daemon/kernels/fft/fft_program.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

// In the order that the user gave; without any the user's last axis, as numpy.
Expected<std::vector<int>> transformed_axes(const PlanRequest& request) {
    const int rank = request.inputs[0].shape.rank;
    if (!request.parameters.has("axes")) {
        return std::vector<int>{request.axes == AxisOrder::reversed ? 0 : rank - 1};
    }
    auto axes = chosen_axes(request, "axes", rank);
    if (axes && request.axes == AxisOrder::reversed) {
        std::ranges::reverse(*axes);
    }
    return axes;
}

// Of a line of real numbers: what the output, or the input, has of its axis.
std::int64_t half_length(std::int64_t n) {
    return n / 2 + 1;
}

Expected<std::int64_t> real_length(const PlanRequest& request, std::int64_t half) {
    const auto* given = request.parameters.get<std::int64_t>("n");
    if (given == nullptr) {
        if (half < 2) {
            return std::unexpected(usage("irfft does not know the output's length",
                                         "the axis has one element: the output may have 1 or none",
                                         "Give it: --n 1."));
        }
        return 2 * (half - 1);
    }
    if (*given < 1 || half_length(*given) != half) {
        return std::unexpected(
            usage("the output's length does not fit the input",
                  fmt::format("n is {}, of an axis of {} elements it may be {} or {}", *given, half,
                              std::max<std::int64_t>(2 * half - 2, 1), 2 * half - 1),
                  "Give one of them."));
    }
    return *given;
}

double scale_of(const std::string& norm, FftDirection direction, double elements) {
    if (norm == "ortho") {
        return 1.0 / std::sqrt(elements);
    }
    const bool is_scaled = (norm == "backward") == (direction == FftDirection::inverse);
    return is_scaled ? 1.0 / elements : 1.0;
}

std::optional<Error> check_length(const PlanRequest& request, const FftPhase& phase, bool is_double) {
    const std::int64_t pair_bytes = is_double ? 16 : 8;
    const std::int64_t most = fft_scratch_bytes / (2 * pair_bytes);
    if (phase.transform_length() <= most) {
        return std::nullopt;
    }
    const int rank = request.inputs[0].shape.rank;
    return usage(
        "an axis is too long to be transformed",
        fmt::format("axis {} has {} elements{}; {} complex numbers are the most that a worker holds",
                    users_axis(request, phase.axis, rank), phase.n,
                    phase.padded != 0
                        ? fmt::format(", with a prime factor above {}, which takes a convolution of {}",
                                      most_direct_factor, phase.padded)
                        : "",
                    most),
        "Transform shorter pieces, or pad the axis to a length of small factors.");
}

// Whole lines; of slower axes as many neighbours as the caches' lines and the vectors want.
TilePreference tiles_along(const Shape& shape, int axis) {
    TilePreference tiles;
    const auto at = static_cast<std::size_t>(axis);
    const auto fastest = static_cast<std::size_t>(shape.rank - 1);
    tiles.brick[fastest] = std::min<std::int64_t>(shape[shape.rank - 1], 32);
    tiles.least[fastest] = tiles.brick[fastest];
    tiles.brick[at] = shape[axis];
    tiles.least[at] = shape[axis];
    return tiles;
}

}  // namespace

Expected<KernelPlan> plan_fft(FftKind kind, FftDirection direction, const PlanRequest& request) {
    const ArrayDescription& input = request.inputs[0];
    const int rank = input.shape.rank;
    if (rank == 0) {
        return std::unexpected(
            usage("the array has no axis", "its shape is ()", "Give an array of 1 to 5 dimensions."));
    }
    if (kind == FftKind::real_to_half && is_complex(input.dtype)) {
        return std::unexpected(usage("rfft transforms real arrays",
                                     fmt::format("the array is {}", name_of(input.dtype)),
                                     "Take fft, or the real part of the array."));
    }
    const auto axes = transformed_axes(request);
    if (!axes) {
        return std::unexpected(axes.error());
    }
    const auto* norm = request.parameters.get<std::string>("norm");

    FftProgram program;
    program.direction = direction;
    program.is_double = part_dtype(input.dtype) != DType::float32;
    program.phase_count = static_cast<int>(axes->size());
    KernelPlan plan;
    const DType complex_type = program.is_double ? DType::complex128 : DType::complex64;
    const DType real_type = program.is_double ? DType::float64 : DType::float32;
    Shape shape = input.shape;
    double elements = 1.0;
    double gain = 0.0;
    // The axis of real lines is the last that the user gave: the first to be transformed forward, the last inverse.
    std::vector<int> order = *axes;
    if (kind == FftKind::real_to_half) {
        std::ranges::reverse(order);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        FftPhase& phase = program.phases[i];
        phase.axis = order[i];
        phase.n = shape[phase.axis];
        if (kind == FftKind::real_to_half && i == 0) {
            phase.kind = kind;
            shape[phase.axis] = half_length(phase.n);
        } else if (kind == FftKind::half_to_real && i + 1 == order.size()) {
            phase.kind = kind;
            const auto n = real_length(request, phase.n);
            if (!n) {
                return std::unexpected(n.error());
            }
            phase.n = *n;
            shape[phase.axis] = *n;
        }
        const bool is_real = phase.kind != FftKind::complex_to_complex;
        phase.core = is_real && phase.n % 2 == 0 ? phase.n / 2 : phase.n;
        elements *= static_cast<double>(phase.n);
        gain += std::log2(static_cast<double>(phase.n)) + 2.0;
        phase.padded = convolution_length(phase.core);
        if (const auto error = check_length(request, phase, program.is_double)) {
            return std::unexpected(*error);
        }
        append_fft_table(phase, program.is_double, plan.table);
        const ArrayDescription target{phase.kind == FftKind::half_to_real ? real_type : complex_type, shape,
                                      MemoryOrder::c};
        if (!checked_byte_count(target)) {
            return std::unexpected(
                usage("the output's size does not fit in 63 bits",
                      fmt::format("it would have the shape {} of {}", to_text(shape), name_of(target.dtype)),
                      "Transform a part of the array."));
        }
        if (i + 1 == order.size()) {
            plan.output = target;
            plan.tiles = tiles_along(shape, phase.axis);
        } else {
            plan.workspaces.push_back({target, tiles_along(shape, phase.axis)});
        }
    }
    read_by_next_phase(plan.workspaces, 0);
    program.scale = scale_of(norm == nullptr ? "backward" : *norm, direction, elements);
    plan.program = Program(program);
    // Each step of a transform rounds what may be as large as the sum of all magnitudes.
    const double epsilon = program.is_double ? std::numeric_limits<double>::epsilon()
                                             : static_cast<double>(std::numeric_limits<float>::epsilon());
    plan.tolerance = 4.0 * gain * elements * program.scale * epsilon;
    plan.grid = OutputGrid::mapped(0, GridMap::same(rank));
    for (const int axis : *axes) {  // frequencies instead of places, or the other way round
        plan.grid.map.at(axis, axis) = 0.0;
    }
    return plan;
}

// Lines are transformed whole: only bands across all of them are less than the array.
AxisRange fft_reads(const BandQuery& query) {
    const auto program = query.plan->program.as<FftProgram>();
    const Shape& shape = query.source < query.inputs.size()
                             ? query.inputs[query.source]
                             : query.plan->workspaces[query.source - query.inputs.size()].array.shape;
    bool is_across = query.source_axis == query.output_axis;
    for (int i = 0; i < program.phase_count; ++i) {
        is_across = is_across && program.phases[static_cast<std::size_t>(i)].axis != query.output_axis;
    }
    return is_across ? query.rows : AxisRange{0, shape[query.source_axis]};
}

}  // namespace slab::kernels
