#include "daemon/kernels/correlate/correlate.hpp"

#include "daemon/kernels/chosen_axes.hpp"
#include "daemon/kernels/correlate/correlate_program.hpp"
#include "daemon/kernels/windows/window_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace slab::kernels {
namespace {

KernelDescription description_of(std::string name, std::string summary, const std::string& which) {
    KernelDescription result{
        .name = name,
        .summary = std::move(summary),
        .details = which +
                   " Weights of 0 take no part, so nothing spreads through them; a NaN among the weights "
                   "makes all NaN. Windows "
                   "may be longer than the array. Up to " +
                   std::to_string(most_weights) +
                   " weights, each multiplied out: of a large window that is a product of one of each "
                   "axis, uniform or gaussian are faster.\n"
                   "float32, complex64 and 8-bit integers are computed in float32 where there are at most "
                   "512 weights, all else in double, in scipy's order. With complex weights the output is "
                   "complex. Integers are rounded half away from zero and clamped, a bool is true from "
                   "0.5 on; with truncate_integers they are cut off and wrap around, as scipy's. The "
                   "result does not depend on how the work is divided.",
        .inputs = {{"input", "1 to 5 dimensions"}, {"weights", "as many dimensions"}},
        .parameters = {{"origin",
                        ParameterType::integer_per_axis,
                        "shifts the window to lower indices, for all axes or for each",
                        "-(size/2) to (size-1)/2",
                        {},
                        "0"}},
        .dtypes = "all",
        .reads = Reads::window,
        .example = fmt::format("slab run {} picture.npy weights.npy -o filtered.npy --mode nearest", name),
    };
    std::ranges::move(window_parameters(), std::back_inserter(result.parameters));
    return result;
}

const KernelDescription& describe_correlate() {
    static const KernelDescription description = description_of(
        "correlate", "sums of a neighbourhood times an array of weights",
        "As scipy.ndimage.correlate: the output at i is the sum of weights[k] * input[i + k - size/2 - "
        "origin] (size/2 rounded down); complex weights are conjugated.");
    return description;
}

const KernelDescription& describe_convolve() {
    static const KernelDescription description = description_of(
        "convolve", "convolution with an array of weights",
        "As scipy.ndimage.convolve: the output at i is the sum of weights[k] * input[i - k + size/2 + "
        "origin] (size/2 rounded down).");
    return description;
}

Expected<void> check_weights(const PlanRequest& request, std::string_view name) {
    if (request.inputs.size() != 2) {
        return std::unexpected(window_usage(fmt::format("{} takes an array and its weights", name),
                                            fmt::format("{} inputs are given", request.inputs.size()),
                                            "Give the array first, then the weights."));
    }
    const Shape& image = request.inputs[0].shape;
    const Shape& weights = request.inputs[1].shape;
    if (weights.rank != image.rank) {
        return std::unexpected(
            window_usage("the weights have not as many dimensions as the array",
                         fmt::format("the array has {}, the weights have {}, of shape {}", image.rank,
                                     weights.rank, to_text(weights)),
                         "Reshape the weights: an axis of one element leaves the array's axis unfiltered."));
    }
    double count = 1.0;
    for (const std::int64_t extent : weights.values()) {
        count *= static_cast<double>(extent);
    }
    if (count > static_cast<double>(most_weights)) {
        return std::unexpected(window_usage("the weights are too many to be multiplied out",
                                            fmt::format("they have the shape {}: {} numbers; {} are the most",
                                                        to_text(weights), count, most_weights),
                                            "Filter one axis after the other, if the weights are a product, "
                                            "or multiply Fourier transforms."));
    }
    return {};
}

DType output_of(const WindowOptions& options, DType image, DType weights) {
    if (!is_complex(weights) || is_complex(image)) {
        return options.output;
    }
    const bool is_narrow =
        image == DType::float32 || size_of(image) <= 2;  // as numpy promotes it with complex64
    return is_narrow ? DType::complex64 : DType::complex128;
}

WorkingType type_of(const WindowOptions& options, DType image, DType output, std::int64_t count) {
    if (options.whole_numbers == WholeNumbers::cut) {
        return WorkingType::float64;
    }
    if (options.precision != Precision::automatic) {
        return working_type(image, options.precision, 1);
    }
    constexpr std::int64_t most_in_float = 512;  // sums of more lose too much of float32's digits
    const bool is_narrow = part_dtype(image) == DType::float32 || size_of(image) == 1;
    return is_narrow && count <= most_in_float && part_dtype(output) != DType::float64 ? WorkingType::float32
                                                                                       : WorkingType::float64;
}

// The last axis that has weights, where rows of it can be extended.
void choose_row_axis(const Shape& image, std::int64_t parts, CorrelateProgram& program) {
    std::int64_t inner = parts;
    for (int axis = image.rank - 1; axis >= 0; --axis) {
        const std::int64_t extent = program.weights[axis];
        if (extent > 1) {
            if (inner < folded_row_parts && (extent - 1) * inner <= most_extended_halo) {
                program.row_axis = axis;
                program.inner = inner;
            }
            return;
        }
        inner *= image[axis];
    }
}

// Rows long enough to stream, and many: their halo is read again by the next tile.
TilePreference tiles_for(const Shape& image, const CorrelateProgram& program) {
    TilePreference tiles;
    std::int64_t row = 1024;
    for (int axis = image.rank - 1; axis >= 0 && row > 1; --axis) {
        tiles.brick[static_cast<std::size_t>(axis)] = std::min(image[axis], row);
        row /= image[axis];
        if (axis == program.row_axis) {
            break;
        }
    }
    int slower = program.row_axis >= 0 ? program.row_axis - 1 : image.rank - 2;
    std::int64_t rows = 256;
    for (; slower >= 0; --slower) {
        const std::int64_t extent = std::min(image[slower], rows);
        tiles.brick[static_cast<std::size_t>(slower)] =
            std::max(tiles.brick[static_cast<std::size_t>(slower)], extent);
        rows = std::max<std::int64_t>(1, rows / 8);
    }
    return tiles;
}

Expected<KernelPlan> plan(const PlanRequest& request, std::string_view name, Turn turn) {
    if (const auto checked = check_window_input(request, name); !checked) {
        return std::unexpected(checked.error());
    }
    if (const auto checked = check_weights(request, name); !checked) {
        return std::unexpected(checked.error());
    }
    const ArrayDescription& image = request.inputs[0];
    const ArrayDescription& weights = request.inputs[1];
    Expected<WindowOptions> options = window_options(request, name);
    if (!options) {
        return std::unexpected(options.error());
    }
    const auto axes = chosen_axes(request, "axes", image.shape.rank);  // all: there is no such parameter
    const auto origins = value_of_axes<std::int64_t>(request, "origin", *axes, 0);
    if (!origins) {
        return std::unexpected(origins.error());
    }
    CorrelateProgram program{};
    for (int axis = 0; axis < image.shape.rank; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const std::int64_t size = weights.shape[axis];
        const std::int64_t origin = (*origins)[a];
        const std::int64_t least = -(size / 2);
        const std::int64_t most = (size - 1) / 2;
        if (origin < least || origin > most) {
            return std::unexpected(window_usage(
                "the origin lies outside the window",
                fmt::format("axis {} has {} weights and the origin {}; {} to {} are inside",
                            users_axis(request, axis, image.shape.rank), size, origin, least, most),
                "Give an origin inside the window, 0 for its middle."));
        }
        // scipy turns the origin of a convolution with the weights; the middle of an even number then lies one further.
        program.before[a] =
            turn == Turn::none ? size / 2 + origin : size / 2 - origin - (size % 2 == 0 ? 1 : 0);
    }
    const DType output = output_of(*options, image.dtype, weights.dtype);
    if (is_complex(output)) {
        options->whole_numbers = WholeNumbers::rounded;
    }
    program.type = type_of(*options, image.dtype, output, element_count(weights.shape));
    program.boundary = options->boundary;
    program.whole_numbers = options->whole_numbers;
    program.turn = turn;
    program.weight_parts = !is_complex(weights.dtype) ? WeightParts::real
                           : turn == Turn::none       ? WeightParts::conjugate
                                                      : WeightParts::as_given;
    program.cval = options->cval;
    program.weights = weights.shape;
    choose_row_axis(image.shape, parts_of(image.dtype), program);
    KernelPlan result;
    result.output = {output, image.shape, MemoryOrder::c};
    if (!checked_byte_count(result.output)) {
        return std::unexpected(window_usage(
            "the output's size does not fit in 63 bits",
            fmt::format("it would have the shape {} of {}", to_text(image.shape), name_of(output)),
            "Give a smaller array."));
    }
    result.program = Program(program);
    result.tiles = tiles_for(image.shape, program);
    return result;
}

Expected<KernelPlan> plan_correlate(const PlanRequest& request) {
    return plan(request, "correlate", Turn::none);
}
Expected<KernelPlan> plan_convolve(const PlanRequest& request) {
    return plan(request, "convolve", Turn::all_axes);
}

// See window_band_reads: the same halo at both ends.
AxisRange band_reads(const BandQuery& query) {
    if (query.source == 1) {
        return {0, query.inputs[1][query.source_axis]};
    }
    const auto program = query.plan->program.as<CorrelateProgram>();
    const std::int64_t n = query.inputs[0][query.output_axis];
    const std::int64_t before = program.before[static_cast<std::size_t>(query.output_axis)];
    const std::int64_t halo = std::max(before, program.weights[query.output_axis] - 1 - before);
    if (program.boundary == Boundary::grid_wrap && halo > 0) {
        return {0, n};
    }
    return {std::max<std::int64_t>(0, query.rows.begin - halo), std::min(n, query.rows.end + halo)};
}

}  // namespace

Kernel correlate_kernel() {
    return {describe_correlate, plan_correlate, correlate_tile_scalar, correlate_tile_simd, band_reads};
}

Kernel convolve_kernel() {
    return {describe_convolve, plan_convolve, correlate_tile_scalar, correlate_tile_simd, band_reads};
}

}  // namespace slab::kernels
