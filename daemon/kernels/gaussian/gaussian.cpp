#include "daemon/kernels/gaussian/gaussian.hpp"

#include "daemon/kernels/chosen_axes.hpp"
#include "daemon/kernels/gaussian/gaussian_weights.hpp"
#include "daemon/kernels/interpolation/line_filter.hpp"
#include "daemon/kernels/windows/window_parameters.hpp"
#include "daemon/kernels/windows/window_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

constexpr std::int64_t most_radius = most_window / 2;
constexpr double least_sigma = 1e-15;  // below it scipy leaves the axis alone

const KernelDescription& describe() {
    static const KernelDescription description = [] {
        KernelDescription result{
            .name = "gaussian",
            .summary = "smooth by a Gaussian, or take its derivatives",
            .details =
                "A Gaussian of standard deviation `sigma` along each axis, as "
                "scipy.ndimage.gaussian_filter: weights exp(-x^2 / (2 sigma^2)) at the distances x up to "
                "int(truncate * sigma + 0.5), or up to `radius`, divided by their sum. derivative 1 or 2 "
                "multiplies them by x / sigma^2 or x^2 / sigma^4 - 1 / sigma^2 (scipy's `order`): the "
                "slope and the curvature of the smoothed array. An axis of sigma 0 is left alone. The "
                "axes are filtered one after the other, most of them on the way through the caches; where "
                "cval makes the result depend on their order it is scipy's: the first axis first, or the "
                "first that `axes` lists.\n"
                "float32, complex64 and 8-bit integers are computed in float32, all else in double. "
                "Integers are rounded once, at the end, half away from zero, and clamped; a bool is true "
                "from 0.5 on. With truncate_integers they are cut off after every axis, as scipy's are. A "
                "NaN spreads as far as its window. The result does not depend on how the work is divided.",
            .inputs = {{"input", "1 to 5 dimensions"}},
            .parameters =
                {{"sigma",
                  ParameterType::real_per_axis,
                  "standard deviation in elements, for all axes or for each that is filtered",
                  ">= 0",
                  {},
                  ""},
                 {"truncate", ParameterType::real, "cut the Gaussian off at so many sigma", ">= 0", {}, "4"},
                 {"radius",
                  ParameterType::integer_per_axis,
                  "cut it off at so many elements instead",
                  fmt::format(">= 0, at most {}", most_radius),
                  {},
                  ""},
                 {"derivative",
                  ParameterType::integer_per_axis,
                  "of the Gaussian, for all axes or for each",
                  "0 to 2",
                  {},
                  "0"},
                 axes_parameter()},
            .dtypes = "all",
            .reads = Reads::window,
            .example = "slab run gaussian volume.npy -o smooth.npy --sigma 2,2,1",
        };
        std::ranges::move(window_parameters(), std::back_inserter(result.parameters));
        return result;
    }();
    return description;
}

struct AxisRequest {
    int axis = 0;
    int named = 0;  // as the user counts
    double sigma = 0.0;
    std::int64_t derivative = 0;
    double truncate = 4.0;
    std::int64_t radius = -1;  // -1: by truncate
};

Expected<std::int64_t> radius_of(const AxisRequest& request) {
    if (!(request.sigma >= 0.0) || std::isinf(request.sigma)) {
        return std::unexpected(window_usage("sigma must be a finite number of at least 0",
                                            fmt::format("axis {} has sigma {}", request.named, request.sigma),
                                            "Give a standard deviation in elements, such as 2."));
    }
    if (request.derivative < 0 || request.derivative > 2) {
        return std::unexpected(window_usage(
            fmt::format("there is no derivative {}", request.derivative),
            fmt::format("axis {} has derivative {}; 0, 1 and 2 are known", request.named, request.derivative),
            "Give 0 to smooth, 1 for the slope, 2 for the curvature."));
    }
    if (request.sigma <= least_sigma && request.derivative > 0) {
        return std::unexpected(window_usage("a derivative needs a sigma above 0",
                                            fmt::format("axis {} has derivative {} and sigma {}",
                                                        request.named, request.derivative, request.sigma),
                                            "Give this axis a sigma, or leave it out with axes."));
    }
    const double radius = request.radius >= 0 ? static_cast<double>(request.radius)
                                              : std::floor(request.truncate * request.sigma + 0.5);
    if (request.radius < -1 || radius > static_cast<double>(most_radius)) {
        return std::unexpected(window_usage(
            "the Gaussian's radius is not possible",
            fmt::format("axis {} has sigma {} and the radius {}; 0 is the least and {} the most",
                        request.named, request.sigma,
                        request.radius < -1 ? static_cast<double>(request.radius) : radius, most_radius),
            "Filter twice with smaller sigmas (their squares add up), give a smaller truncate, or shrink "
            "the array first."));
    }
    return static_cast<std::int64_t>(radius);
}

// Rounding adds up: sums of 2001 float32 were 2.2e-6 off, where 2e-6 is promised.
constexpr std::int64_t most_taps_in_single = 1024;

WorkingType type_of(DType input, const WindowOptions& options) {
    if (options.whole_numbers == WholeNumbers::cut) {
        return WorkingType::float64;
    }
    if (options.precision == Precision::automatic) {
        const bool is_small = size_of(input) == 1;
        return options.output != DType::float64 && is_small   ? WorkingType::float32
               : part_dtype(options.output) == DType::float64 ? WorkingType::float64
                                                              : working_type(input, options.precision, 1);
    }
    return working_type(input, options.precision, 1);
}

// The definition rounds each product, the fast code does not, and adds them up in another order.
double tolerance_of(const WindowProgram& program, DType output) {
    if (program.whole_numbers == WholeNumbers::cut) {
        return 0.0;
    }
    if (program.type == WorkingType::float32) {
        return 0x1p-19;
    }
    return part_dtype(output) == DType::float32 ? 0x1p-22 : 0x1p-46;
}

Expected<KernelPlan> plan(const PlanRequest& request) {
    if (const auto checked = check_window_input(request, "gaussian"); !checked) {
        return std::unexpected(checked.error());
    }
    const ArrayDescription& input = request.inputs[0];
    const Expected<WindowOptions> options = window_options(request, "gaussian");
    if (!options) {
        return std::unexpected(options.error());
    }
    const auto axes = chosen_axes(request, "axes", input.shape.rank);
    if (!axes) {
        return std::unexpected(axes.error());
    }
    if (!request.parameters.has("sigma")) {
        return std::unexpected(window_usage("gaussian needs sigma", "it is not given",
                                            "Give a standard deviation in elements, for example sigma 2."));
    }
    const auto* truncate = request.parameters.get<double>("truncate");
    if (truncate != nullptr && !(*truncate >= 0.0 && std::isfinite(*truncate))) {
        return std::unexpected(window_usage("truncate must be a finite number of at least 0",
                                            fmt::format("truncate is {}", *truncate),
                                            "Give after how many sigma to cut the Gaussian off, such as 4."));
    }
    const auto sigmas = value_of_axes<double>(request, "sigma", *axes, 0.0);
    const auto derivatives = value_of_axes<std::int64_t>(request, "derivative", *axes, 0);
    const auto radii = value_of_axes<std::int64_t>(request, "radius", *axes, -1);
    for (const auto* values : {&derivatives, &radii}) {
        if (!*values) {
            return std::unexpected(values->error());
        }
    }
    if (!sigmas) {
        return std::unexpected(sigmas.error());
    }

    KernelPlan result;
    result.output = {options->output, input.shape, MemoryOrder::c};
    std::vector<WindowAxis> windows;
    bool has_derivative = false;
    double gain = 1.0;
    const bool has_radius = request.parameters.has("radius");
    for (std::size_t i = 0; i < axes->size(); ++i) {
        const int axis = (*axes)[i];
        if (has_radius && (*radii)[i] < 0) {
            return std::unexpected(
                window_usage("the radius of a Gaussian is at least 0",
                             fmt::format("axis {} has the radius {}",
                                         users_axis(request, axis, input.shape.rank), (*radii)[i]),
                             "Give how many elements to either side take part, or leave radius out."));
        }
        const AxisRequest one{axis,
                              users_axis(request, axis, input.shape.rank),
                              (*sigmas)[i],
                              (*derivatives)[i],
                              truncate == nullptr ? 4.0 : *truncate,
                              (*radii)[i]};
        const Expected<std::int64_t> radius = radius_of(one);
        if (!radius) {
            return std::unexpected(radius.error());
        }
        if (one.sigma <= least_sigma || (*radius == 0 && one.derivative == 0)) {
            continue;
        }
        const std::vector<double> weights =
            gaussian_weights(one.sigma, static_cast<int>(one.derivative), *radius);
        double magnitude = 0.0;
        for (const double weight : weights) {
            magnitude += std::abs(weight);
        }
        gain *= magnitude;
        WindowAxis window;
        window.axis = axis;
        window.symmetry = one.derivative == 1 ? Symmetry::odd : Symmetry::even;
        window.taps = 2 * *radius + 1;
        window.before = *radius;
        window.weights = append_to_table(result.table, weights);
        windows.push_back(window);
        has_derivative = has_derivative || one.derivative > 0;
    }

    WindowProgram program{};
    program.kind = WindowKind::weights;
    program.type = type_of(input.dtype, *options);
    const bool has_long_window =
        std::ranges::any_of(windows, [](const WindowAxis& one) { return one.taps > most_taps_in_single; });
    if (options->precision == Precision::automatic && has_long_window) {
        program.type = WorkingType::float64;
    }
    program.boundary = options->boundary;
    program.whole_numbers = options->whole_numbers;
    program.element = part_dtype(options->output);
    const bool has_cval = options->boundary == Boundary::grid_constant && options->cval != 0.0;
    const bool depends_on_order = options->whole_numbers == WholeNumbers::cut || (has_cval && has_derivative);
    result.tolerance =
        windows.empty() ? 0.0 : tolerance_of(program, options->output) * std::max(gain, 0x1p-40);
    plan_window_passes(in_users_order(request, std::move(windows)),
                       depends_on_order ? AxesOrder::as_listed : AxesOrder::free, program, options->cval,
                       input, result);
    return result;
}

}  // namespace

Kernel gaussian_kernel() {
    return {describe, plan, fill_window_scalar, fill_window_simd, window_band_reads};
}

}  // namespace slab::kernels
