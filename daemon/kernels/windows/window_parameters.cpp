#include "daemon/kernels/windows/window_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

namespace slab::kernels {
namespace {

constexpr std::string_view same_dtype = "same";

std::string_view choice_of(const ParameterValues& parameters, std::string_view name,
                           std::string_view fallback) {
    const auto* given = parameters.get<std::string>(name);
    return given == nullptr ? fallback : std::string_view(*given);
}

Boundary filter_boundary(Boundary boundary) {
    switch (boundary) {
    case Boundary::constant: return Boundary::grid_constant;
    case Boundary::wrap: return Boundary::grid_wrap;
    default: return boundary;
    }
}

Expected<DType> output_dtype(DType input, std::string_view name) {
    if (name == same_dtype) {
        return input;
    }
    if (is_complex(input)) {
        return std::unexpected(
            window_usage("a complex array's output is complex",
                         fmt::format("output_dtype is {}, the input {}", name, name_of(input)),
                         "Leave output_dtype out."));
    }
    return name == "float32" ? DType::float32 : DType::float64;
}

}  // namespace

Error window_usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

bool holds_whole_numbers(DType dtype) {
    return part_dtype(dtype) != DType::float32 && part_dtype(dtype) != DType::float64;
}

ParameterDescription axes_parameter() {
    return {"axes", ParameterType::axes, "filter along these axes only", "", {}, ""};
}

std::vector<ParameterDescription> window_parameters() {
    return {
        {"mode", ParameterType::choice, "what lies beyond the ends of an axis", "", boundary_names(),
         "reflect"},
        {"cval", ParameterType::real, "the value beyond, with mode constant", "", {}, "0"},
        {"precision", ParameterType::choice,
         "in which type to compute: auto is float32 for float32, complex64 and small integers, else double",
         "", precision_names(), "auto"},
        {"output_dtype",
         ParameterType::choice,
         "the output's element type",
         "",
         {std::string(same_dtype), "float32", "float64"},
         std::string(same_dtype)},
        {"truncate_integers",
         ParameterType::flag,
         "cut integers off instead of rounding them, as scipy",
         "",
         {},
         ""}};
}

Expected<WindowOptions> window_options(const PlanRequest& request, std::string_view kernel) {
    const ParameterValues& parameters = request.parameters;
    const DType input = request.inputs[0].dtype;
    const std::string_view mode = choice_of(parameters, "mode", "reflect");
    const std::string_view precision = choice_of(parameters, "precision", "auto");
    const std::string_view dtype = choice_of(parameters, "output_dtype", same_dtype);
    const std::optional<Boundary> boundary = boundary_named(mode);
    const std::optional<Precision> precision_value = precision_named(precision);
    if (!boundary || !precision_value || (dtype != same_dtype && dtype != "float32" && dtype != "float64")) {
        return std::unexpected(window_usage(
            fmt::format("a choice of {} does not exist", kernel),
            fmt::format("mode is {}, precision is {}, output_dtype is {}", mode, precision, dtype),
            fmt::format("Look at slab kernels {} for what there is.", kernel)));
    }
    const Expected<DType> output = output_dtype(input, dtype);
    if (!output) {
        return std::unexpected(output.error());
    }
    const auto* given_cval = parameters.get<double>("cval");
    const double cval = given_cval == nullptr ? 0.0 : *given_cval;
    if (!std::isfinite(cval) && holds_whole_numbers(*output)) {
        return std::unexpected(
            window_usage(fmt::format("{} holds no value {}", name_of(*output), cval),
                         "cval is what lies beyond the array, and takes part in the output",
                         "Give a finite cval, or output_dtype float32 or float64."));
    }
    const auto* truncates = parameters.get<bool>("truncate_integers");
    const bool is_cut = truncates != nullptr && *truncates && holds_whole_numbers(*output);
    return WindowOptions{filter_boundary(*boundary), cval, *precision_value, *output,
                         is_cut ? WholeNumbers::cut : WholeNumbers::rounded};
}

Expected<void> check_window_input(const PlanRequest& request, std::string_view kernel) {
    if (request.inputs.empty() || request.inputs[0].shape.rank < 1) {
        return std::unexpected(
            window_usage(fmt::format("{} takes an array of 1 to {} dimensions", kernel, max_rank),
                         request.inputs.empty() ? "no input is given" : "the input is a single value",
                         "Give an array with at least one dimension."));
    }
    return {};
}

std::vector<WindowAxis> in_users_order(const PlanRequest& request, std::vector<WindowAxis> windows) {
    if (request.axes == AxisOrder::reversed) {
        std::ranges::reverse(windows);
    }
    return windows;
}

template <typename T>
Expected<std::vector<T>> value_of_axes(const PlanRequest& request, std::string_view name,
                                       const std::vector<int>& axes, T fallback) {
    const auto* given = request.parameters.get<std::vector<T>>(name);
    if (given == nullptr) {
        return std::vector<T>(axes.size(), fallback);
    }
    if (given->size() == axes.size()) {
        return *given;
    }
    if (given->size() == 1) {
        return std::vector<T>(axes.size(), given->front());
    }
    return std::unexpected(window_usage(
        fmt::format("the number of values of {} does not fit", name),
        fmt::format("{} values are given, and {} axes are filtered of an array of shape {}", given->size(),
                    axes.size(), to_text(request.inputs[0].shape)),
        fmt::format("Give one value of {} for all axes, or one for each axis that is filtered.", name)));
}

template Expected<std::vector<std::int64_t>> value_of_axes(const PlanRequest&, std::string_view,
                                                           const std::vector<int>&, std::int64_t);
template Expected<std::vector<double>> value_of_axes(const PlanRequest&, std::string_view,
                                                     const std::vector<int>&, double);

}  // namespace slab::kernels
