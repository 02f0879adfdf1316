#include "daemon/admission/kernel_catalog.hpp"

#include "common/errors/nearest_name.hpp"
#include "common/protocol/table_json.hpp"
#include "daemon/kernels/kernel_registry.hpp"

#include <fmt/format.h>

#include <array>

namespace slab::daemon {
namespace {

std::string_view name_of(kernels::ParameterType type) {
    constexpr std::array<std::string_view, 10> names{"integer",       "real",  "choice", "integer_per_axis",
                                                     "real_per_axis", "table", "flag",   "axes",
                                                     "text",          "image"};
    return names[static_cast<std::size_t>(type)];
}

Json default_of(const kernels::ParameterDescription& parameter) {
    if (parameter.fallback.empty()) {
        return parameter.type == kernels::ParameterType::flag ? Json("off") : Json();
    }
    return parameter.fallback;
}

Json kernel_to_json(const kernels::KernelDescription& kernel) {
    Json inputs = Json::array();
    for (const kernels::InputDescription& input : kernel.inputs) {
        inputs.push_back({{"name", input.name},
                          {"shape", input.shape},
                          {"repeats", input.count == kernels::InputCount::one_or_more}});
    }
    Json parameters = Json::array();
    for (const kernels::ParameterDescription& parameter : kernel.parameters) {
        parameters.push_back({{"name", parameter.name},
                              {"type", name_of(parameter.type)},
                              {"help", parameter.help},
                              {"range", parameter.range},
                              {"choices", parameter.choices},
                              {"default", default_of(parameter)}});
    }
    return {{"name", kernel.name},       {"summary", kernel.summary},
            {"details", kernel.details}, {"inputs", inputs},
            {"parameters", parameters},  {"dtypes", kernel.dtypes},
            {"example", kernel.example}, {"plugin", kernel.plugin.empty() ? Json() : Json(kernel.plugin)}};
}

Json value_to_json(const kernels::ParameterValues& values, const std::string& name) {
    if (const auto* integer = values.get<std::int64_t>(name)) {
        return *integer;
    }
    if (const auto* real = values.get<double>(name)) {
        return real_to_json(*real);
    }
    if (const auto* text = values.get<std::string>(name)) {
        return *text;
    }
    if (const auto* integers = values.get<std::vector<std::int64_t>>(name)) {
        return *integers;
    }
    if (const auto* axes = values.get<kernels::AxisList>(name)) {
        return axes->indices;
    }
    if (const auto* flag = values.get<bool>(name)) {
        return *flag;
    }
    if (const auto* table = values.get<kernels::Table>(name)) {
        return table_summary(*table);
    }
    Json list = Json::array();
    if (const auto* reals = values.get<std::vector<double>>(name)) {
        for (const double value : *reals) {
            list.push_back(real_to_json(value));
        }
    }
    return list.size() == 1 ? list.front() : list;
}

}  // namespace

Expected<Json> kernels_to_json(const std::string& name) {
    Json list = Json::array();
    std::vector<std::string> names;
    for (const kernels::Kernel& kernel : kernels::all_kernels()) {
        names.push_back(kernel.describe().name);
        if (name.empty() || name == names.back()) {
            list.push_back(kernel_to_json(kernel.describe()));
        }
    }
    if (list.empty()) {
        const std::string nearest = nearest_name(name, names);
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no kernel '{}'", name.substr(0, 80)),
                  fmt::format("this daemon has {}", fmt::join(names, ", ")),
                  nearest.empty() ? "See: slab kernels" : fmt::format("Did you mean '{}'?", nearest)});
    }
    return Json{{"kernels", list}};
}

Json parameters_to_json(const kernels::KernelDescription& kernel, const kernels::ParameterValues& values) {
    Json object = Json::object();
    for (const kernels::ParameterDescription& parameter : kernel.parameters) {
        if (values.has(parameter.name)) {
            object[parameter.name] = value_to_json(values, parameter.name);
        }
    }
    return object;
}

}  // namespace slab::daemon
