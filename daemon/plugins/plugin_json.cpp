#include "daemon/plugins/plugin_json.hpp"

namespace slab::daemon {
namespace {

using kernels::ToldArray;
using kernels::ToldInput;
using kernels::ToldKernel;
using kernels::ToldParameter;

Json array_to_json(const ToldArray& array) {
    return {{"name", array.name},    {"dtype", array.dtype}, {"shape", array.shape},
            {"tile", array.tile},    {"reads", array.reads}, {"reads_workspaces", array.reads_workspaces},
            {"fill", array.has_fill}};
}

ToldArray array_from_json(const Json& json) {
    return {.name = json.at("name").get<std::string>(),
            .dtype = json.at("dtype").get<std::string>(),
            .shape = json.at("shape").get<std::string>(),
            .tile = json.at("tile").get<std::string>(),
            .reads = json.at("reads").get<std::vector<std::string>>(),
            .reads_workspaces = json.at("reads_workspaces").get<std::vector<std::string>>(),
            .has_fill = json.at("fill").get<bool>()};
}

}  // namespace

Json told_kernel_to_json(const ToldKernel& kernel) {
    Json inputs = Json::array();
    for (const ToldInput& input : kernel.inputs) {
        inputs.push_back({{"name", input.name},
                          {"dtypes", input.dtypes},
                          {"shape", input.shape},
                          {"least", input.least_dimensions},
                          {"most", input.most_dimensions},
                          {"repeats", input.repeats}});
    }
    Json parameters = Json::array();
    for (const ToldParameter& parameter : kernel.parameters) {
        parameters.push_back({{"name", parameter.name},
                              {"type", parameter.type},
                              {"help", parameter.help},
                              {"range", parameter.range},
                              {"choices", parameter.choices},
                              {"default", parameter.default_value}});
    }
    Json workspaces = Json::array();
    for (const ToldArray& workspace : kernel.workspaces) {
        workspaces.push_back(array_to_json(workspace));
    }
    return {{"name", kernel.name},       {"summary", kernel.summary},
            {"details", kernel.details}, {"example", kernel.example},
            {"inputs", inputs},          {"parameters", parameters},
            {"workspaces", workspaces},  {"output", array_to_json(kernel.output)},
            {"flags", kernel.flags}};
}

std::optional<ToldKernel> told_kernel_from_json(const Json& json) {
    try {
        ToldKernel kernel{.name = json.at("name").get<std::string>(),
                          .summary = json.at("summary").get<std::string>(),
                          .details = json.at("details").get<std::string>(),
                          .example = json.at("example").get<std::string>(),
                          .inputs = {},
                          .parameters = {},
                          .workspaces = {},
                          .output = array_from_json(json.at("output")),
                          .flags = json.at("flags").get<std::uint64_t>()};
        for (const Json& input : json.at("inputs")) {
            kernel.inputs.push_back(
                {input.at("name").get<std::string>(), input.at("dtypes").get<std::string>(),
                 input.at("shape").get<std::string>(), input.at("least").get<std::int64_t>(),
                 input.at("most").get<std::int64_t>(), input.at("repeats").get<bool>()});
        }
        for (const Json& parameter : json.at("parameters")) {
            kernel.parameters.push_back(
                {parameter.at("name").get<std::string>(), parameter.at("type").get<std::int64_t>(),
                 parameter.at("help").get<std::string>(), parameter.at("range").get<std::string>(),
                 parameter.at("choices").get<std::string>(), parameter.at("default").get<std::string>()});
        }
        for (const Json& workspace : json.at("workspaces")) {
            kernel.workspaces.push_back(array_from_json(workspace));
        }
        return kernel;
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

}  // namespace slab::daemon
