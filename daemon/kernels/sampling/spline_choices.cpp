#include "daemon/kernels/interpolation/spline.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

#include <fmt/format.h>

#include <cmath>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

bool holds_reals(DType dtype) {
    const DType part = part_dtype(dtype);
    return part == DType::float32 || part == DType::float64;
}

std::string chosen(const ParameterValues& parameters, std::string_view name, std::string_view fallback) {
    const auto* value = parameters.get<std::string>(name);
    return value == nullptr ? std::string(fallback) : *value;
}

}  // namespace

std::vector<ParameterDescription> spline_parameters() {
    return {{"mode", ParameterType::choice, "what lies beyond the array", "", boundary_names(), "constant"},
            {"cval", ParameterType::real, "the value beyond, of constant and grid-constant", "", {}, "0"},
            {"prefilter",
             ParameterType::choice,
             "off: the input holds coefficients of the spline already (order 2 and above)",
             "",
             {"on", "off"},
             "on"},
            {"precision", ParameterType::choice,
             "in what to compute; auto: float32 and complex64 in single, all else in double", "",
             precision_names(), "auto"}};
}

Expected<SplineChoices> spline_choices(const PlanRequest& request, std::int64_t order) {
    const ParameterValues& parameters = request.parameters;
    const DType dtype = request.inputs[0].dtype;
    if (order < 0 || order > most_order) {
        return std::unexpected(
            usage(fmt::format("there is no order {}", order),
                  fmt::format("splines of order 0 (nearest), 1 (linear), 2, 3 (cubic), 4 and {} "
                              "(quintic) are known",
                              most_order),
                  "Give an order from 0 to 5; 3 is scipy's default."));
    }
    SplineChoices choices;
    choices.order = static_cast<int>(order);
    const std::string mode = chosen(parameters, "mode", "constant");
    const auto boundary = boundary_named(mode);
    if (!boundary) {
        return std::unexpected(usage(fmt::format("there is no mode {}", mode),
                                     fmt::format("the modes are {}", fmt::join(boundary_names(), ", ")),
                                     "Choose one of them; constant is the default."));
    }
    choices.boundary = *boundary;
    if (const auto* cval = parameters.get<double>("cval")) {
        choices.cval = *cval;
    }
    if (!std::isfinite(choices.cval) && !holds_reals(dtype)) {
        return std::unexpected(
            usage(fmt::format("cval cannot be {}", choices.cval),
                  fmt::format("the array is {}, which holds no such number", name_of(dtype)),
                  "Give a finite cval, or convert the array to float32 first."));
    }
    const std::string precision = chosen(parameters, "precision", "auto");
    const auto named = precision_named(precision);
    if (!named) {
        return std::unexpected(usage(fmt::format("there is no precision {}", precision),
                                     fmt::format("the precisions are {}", fmt::join(precision_names(), ", ")),
                                     "Choose one of them; auto is the default."));
    }
    choices.type = working_type(dtype, *named, choices.order);
    choices.is_prefiltered = chosen(parameters, "prefilter", "on") != "off";
    return choices;
}

}  // namespace slab::kernels
