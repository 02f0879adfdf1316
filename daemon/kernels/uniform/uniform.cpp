#include "daemon/kernels/uniform/uniform.hpp"

#include "daemon/kernels/chosen_axes.hpp"
#include "daemon/kernels/windows/window_parameters.hpp"
#include "daemon/kernels/windows/window_pass.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description = [] {
        KernelDescription result{
            .name = "uniform",
            .summary = "the mean of a box around each element",
            .details =
                "Each element becomes the mean of `size` elements along each axis, as "
                "scipy.ndimage.uniform_filter: those from i - size/2 - origin (rounded down) on. Windows "
                "may be longer than the array.\n"
                "Every window is summed up by itself, in the same order wherever it lies: sums of 2, 4, "
                "8, ... neighbours first, then of those that make it up (pairwise summation; Higham "
                "1993). So no rounding error accumulates along an axis, and a NaN or an infinity stays in "
                "the windows that have it; scipy's running sum carries it on to the end of the axis.\n"
                "float32 and complex64 are computed in float32, 8- and 16-bit integers too where their "
                "sums are exact in it, all else in double. Sums larger than the type's largest number are "
                "infinite. Integers are rounded once, at the end, half away from zero; a bool is true "
                "where at least half of the window is. With truncate_integers they are cut off after "
                "every axis, as scipy's are. The result does not depend on how the work is divided.",
            .inputs = {{"input", "1 to 5 dimensions"}},
            .parameters = {{"size",
                            ParameterType::integer_per_axis,
                            "elements of the window, for all axes or for each that is filtered",
                            fmt::format(">= 1, at most {}", most_window),
                            {},
                            "3"},
                           {"origin",
                            ParameterType::integer_per_axis,
                            "shifts the window to lower indices, for all axes or for each",
                            "-(size/2) to (size-1)/2",
                            {},
                            "0"},
                           axes_parameter()},
            .dtypes = "all",
            .reads = Reads::window,
            .example = "slab run uniform volume.npy -o smooth.npy --size 5 --mode nearest",
        };
        std::ranges::move(window_parameters(), std::back_inserter(result.parameters));
        return result;
    }();
    return description;
}

Expected<WindowAxis> window_of(const PlanRequest& request, int axis, std::int64_t size, std::int64_t origin) {
    const int named = users_axis(request, axis, request.inputs[0].shape.rank);
    if (size < 1 || size > most_window) {
        return std::unexpected(window_usage(
            fmt::format("a window of {} elements is not possible", size),
            fmt::format("axis {} has the size {}; 1 is the least and {} the most", named, size, most_window),
            size < 1 ? "Give a size of at least 1; 1 leaves the axis as it is."
                     : "Filter twice with smaller windows, or shrink the array first."));
    }
    const std::int64_t least = -(size / 2);
    const std::int64_t most = (size - 1) / 2;
    if (origin < least || origin > most) {
        return std::unexpected(
            window_usage("the origin lies outside the window",
                         fmt::format("axis {} has the size {} and the origin {}; {} to {} are inside", named,
                                     size, origin, least, most),
                         "Give an origin inside the window, 0 for its middle."));
    }
    WindowAxis window;
    window.axis = axis;
    window.taps = size;
    window.before = size / 2 + origin;
    return window;
}

// Sums of so many 8- or 16-bit integers, and a quarter more, are exact in float32, and their mean is off by less than a
// quarter of what separates it from the nearest half.
bool is_exact_in_float(DType dtype, std::int64_t elements) {
    switch (dtype) {
    case DType::boolean:
    case DType::uint8:
    case DType::int8: return elements <= 4096;
    case DType::uint16:
    case DType::int16: return elements <= 32;
    default: return false;
    }
}

WorkingType type_of(DType input, const WindowOptions& options, std::int64_t elements) {
    if (options.whole_numbers == WholeNumbers::cut) {
        return WorkingType::float64;
    }
    if (options.precision == Precision::automatic && is_exact_in_float(input, elements) &&
        options.output != DType::float64) {
        return WorkingType::float32;
    }
    if (options.precision == Precision::automatic && part_dtype(options.output) == DType::float64) {
        return WorkingType::float64;
    }
    return working_type(input, options.precision, 1);
}

Expected<KernelPlan> plan(const PlanRequest& request) {
    if (const auto checked = check_window_input(request, "uniform"); !checked) {
        return std::unexpected(checked.error());
    }
    const ArrayDescription& input = request.inputs[0];
    const Expected<WindowOptions> options = window_options(request, "uniform");
    if (!options) {
        return std::unexpected(options.error());
    }
    const auto axes = chosen_axes(request, "axes", input.shape.rank);
    if (!axes) {
        return std::unexpected(axes.error());
    }
    const auto sizes = value_of_axes<std::int64_t>(request, "size", *axes, 3);
    const auto origins = value_of_axes<std::int64_t>(request, "origin", *axes, 0);
    if (!sizes || !origins) {
        return std::unexpected(sizes ? origins.error() : sizes.error());
    }
    std::vector<WindowAxis> windows;
    double elements = 1.0;
    for (std::size_t i = 0; i < axes->size(); ++i) {
        const auto window = window_of(request, (*axes)[i], (*sizes)[i], (*origins)[i]);
        if (!window) {
            return std::unexpected(window.error());
        }
        if (window->taps > 1) {
            windows.push_back(*window);
            elements *= static_cast<double>(window->taps);
        }
    }

    WindowProgram program{};
    program.kind = WindowKind::mean;
    program.type = type_of(input.dtype, *options, static_cast<std::int64_t>(std::min(elements, 1e6)));
    program.boundary = options->boundary;
    program.whole_numbers = options->whole_numbers;
    program.element = part_dtype(options->output);
    const bool is_cut = options->whole_numbers == WholeNumbers::cut;
    if (!is_cut && !windows.empty()) {
        program.scale = 1.0 / elements;
        program.nudge = holds_whole_numbers(options->output) ? 0.25 : 0.0;
    }
    KernelPlan result;
    result.output = {options->output, input.shape, MemoryOrder::c};
    plan_window_passes(in_users_order(request, std::move(windows)),
                       is_cut ? AxesOrder::as_listed : AxesOrder::free, program, options->cval, input,
                       result);
    return result;
}

}  // namespace

Kernel uniform_kernel() {
    return {describe, plan, fill_window_scalar, fill_window_simd, window_band_reads};
}

}  // namespace slab::kernels
