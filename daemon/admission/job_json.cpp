#include "daemon/admission/job_json.hpp"

#include "common/protocol/table_json.hpp"
#include "common/units/unix_time.hpp"
#include "daemon/admission/kernel_catalog.hpp"
#include "daemon/kernels/kernel_registry.hpp"

namespace slab::daemon {
namespace {

Json seconds_or_null(double seconds) {
    return seconds < 0 ? Json() : Json(seconds);
}

Json seconds_between(Clock::time_point from, Clock::time_point to) {
    constexpr Clock::time_point not_yet{};
    return from == not_yet || to == not_yet ? Json() : Json(std::chrono::duration<double>(to - from).count());
}

// What changes with time, also of jobs that a former supervisor ended.
void add_what_is_held(Json& json, const Job& job, std::chrono::milliseconds expire) {
    std::int64_t held = 0;
    for (const ByteRange& run : job.holds.runs()) {
        held += run.end - run.begin;
    }
    const bool rests = job.state == JobState::ended || job.state == JobState::interrupted;
    const bool is_dated = rests && job.released_at != std::chrono::system_clock::time_point{};
    const bool expires = is_dated && expire != expire.zero() &&
                         ((job.kept && !job.request.lent) || job.state == JobState::interrupted);
    json["kept"] = job.kept;
    json["held_bytes"] = held;
    json["age_s"] =
        is_dated
            ? Json(seconds_since_1970(std::chrono::system_clock::now()) - seconds_since_1970(job.released_at))
            : Json();
    json["expires_at"] = expires ? Json(seconds_since_1970(job.released_at + expire)) : Json();
}

// Of a job of one step; a pipeline's are told step by step.
Json parameters_of(const JobPlan& plan) {
    const StepPlan& step = plan.steps.front();
    return plan.steps.size() > 1 ? Json::object()
                                 : parameters_to_json(step.kernel->describe(), step.parameters);
}

Json grid_to_json(const StepPlan& step) {
    if (!step.grid) {
        return {};
    }
    const GridMap& map = step.grid->map;
    Json rows = Json::array();
    for (int row = 0; row < map.input_rank; ++row) {
        Json numbers = Json::array();
        for (int column = 0; column < map.output_rank; ++column) {
            numbers.push_back(real_to_json(map.at(row, column)));
        }
        numbers.push_back(real_to_json(map.offset[static_cast<std::size_t>(row)]));
        rows.push_back(std::move(numbers));
    }
    return {{"input", step.grid->input}, {"matrix", std::move(rows)}};
}

// Names of what the job's result tells beside the output, of these phases.
Json tables_of(const JobPlan& plan, std::size_t first_phase, std::size_t last_phase) {
    Json names = Json::array();
    for (const ToldArray& table : plan.told()) {
        if (table.phase >= first_phase && table.phase <= last_phase) {
            names.push_back(table.name);
        }
    }
    return names;
}

Json steps_of(const JobPlan& plan) {
    Json steps = Json::array();
    for (const StepPlan& step : plan.steps) {
        if (plan.steps.size() == 1) {
            break;
        }
        steps.push_back({{"name", step.name},
                         {"kernel", step.kernel->describe().name},
                         {"parameters", parameters_to_json(step.kernel->describe(), step.parameters)},
                         {"output", array_to_json(step.output)},
                         {"tables", tables_of(plan, step.first_phase, step.output_phase())},
                         {"grid", grid_to_json(step)}});
    }
    return steps;
}

std::string kernel_of(const JobPlan& plan) {
    std::vector<std::string> kernels;
    for (const StepPlan& step : plan.steps) {
        kernels.push_back(step.kernel->describe().name);
    }
    return pipeline_name(kernels);
}

Json live_job_to_json(const Job& job, int workers) {
    const bool failed = job.state == JobState::ended && !job.error.what.empty();
    return {
        {"id", job.id},
        {"kernel", job.request.kernel},
        {"name", job.request.name},
        {"user", job.owner.user},
        {"uid", job.owner.uid},
        {"state", name_of(job.state)},
        {"outcome", job.state == JobState::ended ? Json(name_of(job.outcome)) : Json()},
        {"error", failed ? error_to_json(job.error) : Json()},
        {"reason", job.reason},
        {"parameters", parameters_of(job.plan)},
        {"steps", steps_of(job.plan)},
        {"output", array_to_json(job.plan.output)},
        {"kept", job.kept},
        {"priority", job.request.priority},
        {"note", job.request.note},
        {"durable", job.durable},
        {"tiles", job.plan.tile_count},
        {"tiles_done", job.tiles_done},
        {"tiles_repeated", job.tiles_repeated},
        {"tiles_adopted", job.tiles_adopted},
        {"workers", workers},
        {"workers_lost", job.workers_lost},
        {"bands", job.plan.cut.count},
        {"bytes_in", job.plan.bytes_in},
        {"bytes_out", job.plan.bytes_out},
        {"bands_done", job.pipeline.bands_computed()},
        {"bytes_moved", job.state == JobState::loading ? job.bytes_loaded : job.bytes_written},
        {"holds_bytes", job.plan.holds_bytes},
        {"peak_volume_bytes", job.peak_volume_bytes},
        {"submitted_at", seconds_since_1970(job.submitted_at)},
        {"ended_at", job.state == JobState::ended ? Json(seconds_since_1970(job.released_at)) : Json()},
        {"queued_s", seconds_between(job.submitted, job.admitted)},
        {"load_s", seconds_or_null(job.load_time.seconds())},
        {"compute_s", seconds_or_null(job.compute_time.seconds())},
        {"flush_s", seconds_or_null(job.flush_time.seconds())},
        {"wall_s", seconds_between(job.submitted, job.ended)},
        {"load_method", job.load_method},
        {"flush_method", job.flush_method},
        {"simd", kernels::simd_level()},
        {"result", job.result},
    };
}

}  // namespace

Json job_to_json(const Job& job, int workers, std::chrono::milliseconds expire) {
    Json json = job.past ? *job.past : live_job_to_json(job, workers);
    add_what_is_held(json, job, expire);
    return json;
}

Json plugins_of(const JobPlan& plan) {
    Json plugins = Json::object();
    for (const StepPlan& step : plan.steps) {
        const kernels::KernelDescription& kernel = step.kernel->describe();
        if (!kernel.plugin.empty()) {
            plugins[kernel.name] = {{"plugin", kernel.plugin}, {"digest", kernel.plugin_digest}};
        }
    }
    return plugins;
}

Json plan_to_json(const JobPlan& plan) {
    const TileGrid grid = plan.band(plan.cut.count - 1).output_tiles();
    std::vector<std::int64_t> tile(grid.tile.begin(), grid.tile.begin() + grid.domain.rank);
    std::vector<std::int64_t> band_shape;
    for (int axis = 0; axis < grid.domain.rank; ++axis) {
        band_shape.push_back(grid.domain.extent(axis));
    }
    if (plan.output.order == MemoryOrder::fortran) {
        std::ranges::reverse(tile);
        std::ranges::reverse(band_shape);
    }
    return {
        {"kernel", kernel_of(plan)},
        {"parameters", parameters_of(plan)},
        {"steps", steps_of(plan)},
        {"tells_result", plan.is_answer()},
        {"tables", tables_of(plan, 0, plan.phase_count())},
        {"output", array_to_json(plan.output)},
        {"bytes_in", plan.bytes_in},
        {"bytes_out", plan.bytes_out},
        {"holds_bytes", plan.holds_bytes},
        {"least_bytes", plan.least_bytes},
        {"streams", plan.streams()},
        {"bands", plan.cut.count},
        {"band_shape", band_shape},
        {"phases", plan.phase_count()},
        {"work_bytes", plan.work.bytes},
        {"tiles", plan.tile_count},
        {"tile", tile},
        {"grid", grid_to_json(plan.steps.back())},
        {"only_moves", plan.steps.back().only_moves},
    };
}

}  // namespace slab::daemon
