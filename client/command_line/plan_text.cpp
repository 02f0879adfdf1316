#include "client/command_line/plan_text.hpp"

#include "client/command_line/object_text.hpp"
#include "common/protocol/message.hpp"
#include "common/units/byte_size.hpp"

#include <fmt/format.h>

namespace slab {

std::string plan_text(const PlannedJob& plan) {
    std::string text = fmt::format("plan: {}\n", plan.kernel);
    const Json json = Json::parse(plan.json, nullptr, false);
    if (const auto parameters = json.find("parameters");
        parameters != json.end() && parameters->is_object()) {
        for (const auto& [name, value] : parameters->items()) {
            text +=
                fmt::format("  {} = {}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
        }
    }
    if (const auto steps = json.find("steps"); steps != json.end() && steps->is_array()) {
        for (const Json& step : *steps) {
            text += fmt::format("  step {}: {}", text_or(step, "name"), text_or(step, "kernel"));
            if (const auto output = array_from_json(step.value("output", Json::object()))) {
                text += fmt::format(" -> {} {}", to_text(output->array.shape), name_of(output->array.dtype));
            }
            text += "\n";
        }
    }
    text += fmt::format("reads   {}\n", byte_size_text(plan.bytes_in));
    text += fmt::format("writes  {}", byte_size_text(plan.bytes_out));
    if (plan.output) {
        text += fmt::format(": {} {}, {} order", to_text(plan.output->shape), name_of(plan.output->dtype),
                            plan.output->order == MemoryOrder::c ? "C" : "F");
    }
    text += fmt::format("\nholds   {} of the volume", byte_size_text(plan.holds_bytes));
    if (plan.work_bytes > 0) {
        text += fmt::format(", {} of it for the kernel's own arrays", byte_size_text(plan.work_bytes));
    }
    if (plan.least_bytes > 0) {
        text += fmt::format("; {} would do: --max-memory", byte_size_text(plan.least_bytes));
    }
    text += fmt::format("\nwork    {} band{}", plan.bands, plan.bands == 1 ? "" : "s");
    if (plan.band_shape.rank > 0) {
        text += fmt::format(" of {}", to_text(plan.band_shape));
    }
    if (plan.phases > 1) {
        text += fmt::format(", {} phases", plan.phases);
    }
    text += fmt::format("{}, {} tile{} of {}\n", plan.streams ? " through a ring in the volume" : "",
                        plan.tiles, plan.tiles == 1 ? "" : "s", to_text(plan.tile));
    return text;
}

}  // namespace slab
