#include "client/library/answers.hpp"

#include "common/protocol/table_json.hpp"

#include <algorithm>
#include <array>

namespace slab {
namespace {

template <typename Enum, std::size_t count>
Enum named(const std::array<Enum, count>& values, std::string_view name, Enum fallback) {
    for (const Enum value : values) {
        if (name_of(value) == name) {
            return value;
        }
    }
    return fallback;
}

std::optional<double> seconds(const Json& json, std::string_view key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::optional<ArrayDescription> output_of(const Json& json) {
    const auto found = json.find("output");
    if (found == json.end() || !found->is_object()) {
        return std::nullopt;
    }
    const Expected<ArrayAndOrder> array = array_from_json(*found);
    return array ? std::optional(array->array) : std::nullopt;
}

std::optional<PlannedJob::Grid> grid_of(const Json& json) {
    const auto grid = json.find("grid");
    if (grid == json.end() || !grid->is_object()) {
        return std::nullopt;
    }
    const auto table = table_from_json(grid->value("matrix", Json()), "matrix");
    if (!table || table->rows > max_rank || table->columns > max_rank + 1 || table->columns < 1) {
        return std::nullopt;
    }
    PlannedJob::Grid result;
    result.input = static_cast<std::size_t>(std::max<std::int64_t>(integer_or(*grid, "input", 0), 0));
    result.map.input_rank = static_cast<int>(table->rows);
    result.map.output_rank = static_cast<int>(table->columns) - 1;
    const double* next = table->values.data();
    for (int row = 0; row < result.map.input_rank; ++row) {
        for (int column = 0; column < result.map.output_rank; ++column) {
            result.map.at(row, column) = *next++;
        }
        result.map.offset[static_cast<std::size_t>(row)] = *next++;
    }
    return result;
}

Shape shape_in(const Json& json, std::string_view key) {
    std::vector<std::int64_t> extents;
    if (const auto list = json.find(key); list != json.end() && list->is_array()) {
        for (const Json& extent : *list) {
            extents.push_back(extent.is_number_integer() ? extent.get<std::int64_t>() : 0);
        }
    }
    return shape_from(extents).value_or(Shape{});
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A default may come typed: 0 and "0" read alike to a person.
std::string as_text(const Json& json, std::string_view key) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) {
        return {};
    }
    return found->is_string() ? found->get<std::string>() : dump(*found);
}

PlannedJob planned_without_steps(const Json& json) {
    PlannedJob plan;
    plan.kernel = text_or(json, "kernel");
    plan.output = output_of(json);
    plan.bytes_in = integer_or(json, "bytes_in", 0);
    plan.bytes_out = integer_or(json, "bytes_out", 0);
    plan.holds_bytes = integer_or(json, "holds_bytes", 0);
    plan.bands = integer_or(json, "bands", 0);
    plan.tiles = integer_or(json, "tiles", 0);
    plan.tile = shape_in(json, "tile");
    plan.least_bytes = integer_or(json, "least_bytes", 0);
    plan.work_bytes = integer_or(json, "work_bytes", 0);
    plan.streams = flag_or(json, "streams", false);
    plan.is_answer = flag_or(json, "tells_result", false);
    plan.phases = integer_or(json, "phases", 1);
    plan.band_shape = shape_in(json, "band_shape");
    if (const auto tables = json.find("tables"); tables != json.end() && tables->is_array()) {
        for (const Json& name : *tables) {
            plan.tables.push_back(name.is_string() ? name.get<std::string>() : std::string());
        }
    }
    plan.grid = grid_of(json);
    plan.only_moves = flag_or(json, "only_moves", false);
    plan.json = dump(json);
    return plan;
}

}  // namespace

JobStatus job_status_from(const Json& json) {
    using State = JobStatus::State;
    using Outcome = JobStatus::Outcome;
    JobStatus job;
    job.id = integer_or(json, "id", 0);
    job.kernel = text_or(json, "kernel");
    job.name = text_or(json, "name");
    job.user = text_or(json, "user");
    job.uid = integer_or(json, "uid", -1);
    job.state = named(std::array{State::received, State::queued, State::waiting_for_space, State::loading,
                                 State::running, State::flushing, State::interrupted, State::ended},
                      text_or(json, "state"), State::running);
    job.outcome = named(std::array{Outcome::none, Outcome::done, Outcome::failed, Outcome::cancelled,
                                   Outcome::refused, Outcome::interrupted},
                        text_or(json, "outcome"), Outcome::none);
    if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
        job.error = error_from_json(*error);
    }
    job.reason = text_or(json, "reason");
    job.output = output_of(json);
    job.kept = flag_or(json, "kept", false);
    job.durable = flag_or(json, "durable", false);
    job.priority = integer_or(json, "priority", 0);
    job.tiles = integer_or(json, "tiles", 0);
    job.tiles_done = integer_or(json, "tiles_done", 0);
    job.tiles_repeated = integer_or(json, "tiles_repeated", 0);
    job.workers = integer_or(json, "workers", 0);
    job.workers_lost = integer_or(json, "workers_lost", 0);
    job.bands = integer_or(json, "bands", 0);
    job.bands_done = integer_or(json, "bands_done", 0);
    job.bytes_in = integer_or(json, "bytes_in", 0);
    job.bytes_out = integer_or(json, "bytes_out", 0);
    job.holds_bytes = integer_or(json, "holds_bytes", 0);
    if (const auto held = json.find("held_bytes"); held != json.end() && held->is_number()) {
        job.held_bytes = held->get<std::int64_t>();
    }
    job.peak_volume_bytes = integer_or(json, "peak_volume_bytes", 0);
    job.submitted_at = real_or(json, "submitted_at", 0);
    job.age_s = seconds(json, "age_s");
    job.expires_at = seconds(json, "expires_at");
    job.queued_s = seconds(json, "queued_s");
    job.load_s = seconds(json, "load_s");
    job.compute_s = seconds(json, "compute_s");
    job.flush_s = seconds(json, "flush_s");
    job.wall_s = seconds(json, "wall_s");
    job.load_method = text_or(json, "load_method");
    job.flush_method = text_or(json, "flush_method");
    if (const auto note = json.find("note"); note != json.end() && note->is_object()) {
        job.note = dump(*note);
    }
    job.simd = text_or(json, "simd");
    job.result = as_text(json, "result");
    job.json = dump(json);
    return job;
}

KernelInfo kernel_info_from(const Json& json) {
    KernelInfo kernel;
    kernel.name = text_or(json, "name");
    kernel.summary = text_or(json, "summary");
    kernel.details = text_or(json, "details");
    kernel.dtypes = text_or(json, "dtypes");
    kernel.example = text_or(json, "example");
    kernel.plugin = text_or(json, "plugin");
    if (const auto inputs = json.find("inputs"); inputs != json.end() && inputs->is_array()) {
        for (const Json& input : *inputs) {
            kernel.inputs.push_back(
                {text_or(input, "name"), text_or(input, "shape"), flag_or(input, "repeats", false)});
        }
    }
    if (const auto parameters = json.find("parameters"); parameters != json.end() && parameters->is_array()) {
        for (const Json& one : *parameters) {
            KernelInfo::Parameter parameter{
                text_or(one, "name"),   text_or(one, "type"), text_or(one, "help"), text_or(one, "range"), {},
                as_text(one, "default")};
            if (const auto choices = one.find("choices"); choices != one.end() && choices->is_array()) {
                for (const Json& choice : *choices) {
                    if (choice.is_string()) {
                        parameter.choices.push_back(choice.get<std::string>());
                    }
                }
            }
            kernel.parameters.push_back(std::move(parameter));
        }
    }
    kernel.json = dump(json);
    return kernel;
}

PlannedJob planned_job_from(const Json& json) {
    PlannedJob plan = planned_without_steps(json);
    if (const auto steps = json.find("steps"); steps != json.end() && steps->is_array()) {
        for (const Json& step : *steps) {
            if (step.is_object()) {
                plan.steps.push_back(planned_without_steps(step));
            }
        }
    }
    return plan;
}

}  // namespace slab
