// A job's way forward: its bands are loaded, computed and flushed, each as soon as it can be.

#include "common/pausing/pause_point.hpp"
#include "daemon/admission/answer_json.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {

// Gives mover and workers whatever can be begun now; called after whatever changed.
void JobConductor::advance(Job& job) {
    const bool rests = job.state == JobState::interrupted || job.state == JobState::ended;
    if (job.ending || !job.holds.reserved || rests) {
        dispatch();
        return;
    }
    // Inputs are loaded while workers still put memory behind the output and the other slots.
    const bool may_load = has_memory(job, job.holds.inputs);
    const bool has_output = has_memory(job, {job.holds.output});
    const bool has_work = has_memory(job, {job.holds.work});
    job.holds.is_populated = may_load && has_output && has_work && has_memory(job, {job.holds.ring});
    while (may_load && slot_has_memory(job, job.pipeline.next_load())) {
        const auto band = job.pipeline.take_load();
        if (!band) {
            break;
        }
        send_load(job, *band);
    }
    const bool first_is_loaded = job.pipeline.stage_of(job.pipeline.bands_computed()) == BandStage::loaded;
    if (job.state == JobState::loading && has_output && has_work &&
        (first_is_loaded || job.pipeline.all_computed())) {
        ledger_.move(job, JobState::running);
    }
    if (job.state == JobState::running && job.pipeline.all_computed()) {
        compute_finished(job);  // under a former supervisor
        return;
    }
    if (job.state == JobState::running || job.state == JobState::waiting_for_space) {
        if (const auto band = job.pipeline.take_compute()) {
            start_band(job, *band);
        }
    }
    // Not a byte before the journal knows whose output it is.
    if (job.request.output && job.mover.checked && job.unwritten_records == 0 &&
        job.state != JobState::waiting_for_space) {
        while (const auto band = job.pipeline.take_flush()) {
            send_write(job, *band);
        }
    }
    if (job.state == JobState::flushing && job.pipeline.all_flushed() && !job.mover.sealing) {
        send_seal(job);
    }
    dispatch();
}

bool JobConductor::has_memory(const Job& job, const std::vector<std::optional<ByteRange>>& runs) const {
    return job.holds.is_populated || std::ranges::all_of(runs, [this](const std::optional<ByteRange>& run) {
               return !run || memory_.is_populated(*run);
           });
}

bool JobConductor::slot_has_memory(const Job& job, std::int64_t band) const {
    if (job.holds.is_populated || !job.holds.ring) {
        return true;
    }
    const std::int64_t begin = job.pipeline.slot_of(band) * job.plan.ring.slot_bytes;
    const std::int64_t end = begin + job.plan.ring.slot_bytes;
    return memory_.is_populated({job.holds.ring->begin + begin / extent_bytes * extent_bytes,
                                 job.holds.ring->begin + round_up(end, extent_bytes)});
}

void JobConductor::begin_bands(Job& job) {
    const auto loads = job.request.inputs.empty() ? BandPipeline::Loads::nothing : BandPipeline::Loads::files;
    using Flushes = BandPipeline::Flushes;
    const auto flushes = !job.request.output           ? Flushes::nothing
                         : job.plan.ends_with_output() ? Flushes::last_band
                                                       : Flushes::file;
    job.pipeline = BandPipeline(job.plan.cut.count, job.plan.ring.slots, loads, flushes);
}

void JobConductor::send_load(Job& job, std::int64_t band) {
    const BandPlan part = job.plan.band(band);
    const Placement places = job.placement(band, part);
    const bool follows = job.last_load >= 0 && job.last_load == band - 1;
    const BandPlan before = follows ? job.plan.band(band - 1) : part;
    const Placement places_before = follows ? job.placement(band - 1, before) : places;

    MoverOrder order{.kind = MoverOrderKind::load, .band = band};
    order.input_count = static_cast<std::uint32_t>(job.request.inputs.size());
    for (std::size_t i = 0; i < job.request.inputs.size(); ++i) {
        const InputFile& input = job.request.inputs[i];
        const ByteSpan span = part.inputs[i];
        const bool is_whole = job.plan.ring.input_at[i] < 0;
        if (is_whole && (job.last_load >= 0 || job.whole_inputs_loaded)) {
            continue;  // it came with the first band
        }
        InputBytes& bytes = order.inputs[i];
        bytes.file_offset = input.offset + span.begin;
        bytes.bytes = span.bytes();
        bytes.volume_offset = places.inputs[i];
        bytes.swap_unit =
            input.byte_order == ByteOrder::big ? static_cast<int>(swap_unit_of(input.array.dtype)) : 1;
        bytes.codec = input.codec;
        if (follows) {
            const ByteSpan earlier = before.inputs[i];
            bytes.copy_bytes = std::max<std::int64_t>(0, std::min(earlier.end, span.end) - span.begin);
            bytes.copy_from = places_before.inputs[i] + (span.begin - earlier.begin);
        }
    }
    job.last_load = band;
    mark_load(job, band);
    ++job.mover.loads;
    job.load_time.start();
    movers_.order(job.id, order);
}

void JobConductor::send_write(Job& job, std::int64_t band) {
    if (job.holds.segment && !std::exchange(job.mover.knows_segment, true)) {
        send_segment(job);
    }
    const BandPlan part = job.plan.band(band);
    MoverOrder order{.kind = MoverOrderKind::write, .band = band};
    order.has_output = 1;
    order.output = {job.request.output->offset + part.output().begin, part.output().bytes(),
                    job.placement(band, part).output(), job.request.output->is_sequential ? 1U : 0U};
    ++job.mover.writes;
    job.flush_time.start();
    const bool begins_with_header = job.request.output->is_sequential && part.output().begin == 0;
    movers_.order(job.id, order, begins_with_header ? std::string_view(job.request.output->header) : "");
}

void JobConductor::send_seal(Job& job) {
    job.mover.sealing = true;
    job.flush_time.start();
    movers_.order(job.id, {.kind = MoverOrderKind::seal, .has_output = 1},
                  job.request.output->is_sequential ? std::string_view() : job.request.output->header);
}

void JobConductor::start_band(Job& job, std::int64_t band) {
    job.band = band;
    job.band_plan = job.plan.band(band);
    job.phase = marked_phase(job, band);
    job.compute_time.start();
    if (!std::exchange(job.tables_written, true)) {
        for (std::size_t step = 0; step < job.plan.steps.size(); ++step) {
            const std::vector<std::byte>& table = job.plan.steps[step].plan.table;
            if (!table.empty()) {  // guests have none, and nothing where it would lie
                std::ranges::copy(table,
                                  volume_.data() + job.holds.work->begin + job.plan.work.table_at[step]);
            }
        }
    }
    start_phase(job);
}

// What a plug-in leaves behind in a worker (a thread, a damaged heap) is not to meet the jobs after its own. While one of
// its jobs runs, others may share the workers with it.
void JobConductor::part_from_plugins() {
    const auto uses_plugins = [](const auto& entry) {
        return std::ranges::any_of(entry.second->plan.steps, [](const StepPlan& step) {
            return step.kernel != nullptr && step.kernel->load != nullptr;
        });
    };
    if (workers_.has_plugin_workers() && !ledger_.unfinished().empty() &&
        std::ranges::none_of(ledger_.unfinished(), uses_plugins)) {
        workers_.replace_plugin_workers();
    }
}

void JobConductor::start_phase(Job& job) {
    if (job.request.guests) {
        guests_.add_band({job.id, job.owner.uid, job.request.priority},
                         {job.band, job.tiles(), job.placement(job.band, job.band_plan).output()});
        return;
    }
    part_from_plugins();
    const std::span<const std::uint64_t> filled = tile_bits(job, job.band, job.tiles().tile_count());
    const bool is_begun = std::ranges::any_of(filled, [](std::uint64_t word) { return word != 0; });
    const std::int64_t waiting =
        scheduler_.add_band({job.id, job.owner.uid, job.request.priority}, job.tiles().tile_count(),
                            is_begun ? filled : std::span<const std::uint64_t>());
    if (waiting == 0) {
        phase_complete(job);
    }
}

// Gives every worker with room its next order: memory that jobs wait for, then tiles, then background memory.
void JobConductor::dispatch() {
    if (dispatching_) {
        return;  // called back from inside: the loop below sees the change
    }
    dispatching_ = true;
    for (WorkerSlot worker = workers_.with_room(); worker >= 0; worker = workers_.with_room()) {
        if (memory_.give_needed(worker)) {
            continue;
        }
        const auto lease = scheduler_.next_lease(worker, workers_.size());
        if (!lease) {
            break;
        }
        const Job& job = *ledger_.find(lease->job);
        if (!workers_.knows(worker, job.id)) {
            bind_worker(worker, job);
        }
        workers_.lease(worker, *lease);
    }
    for (WorkerSlot worker = workers_.without_orders(); worker >= 0; worker = workers_.without_orders()) {
        if (!memory_.give_background(worker)) {
            break;
        }
    }
    dispatching_ = false;
}

void JobConductor::bind_worker(WorkerSlot worker, const Job& job) {
    const Placement places = job.placement(job.band, job.band_plan);
    const StepPlan& step = job.plan.step_of(job.phase);
    // A kernel sees whole arrays: element 0 lies before the band's first byte, perhaps before the volume.
    const auto placed = [&](std::size_t source, const Shape& shape) {
        if (source < job.plan.inputs.size()) {
            return PlacedArray{places.inputs[source] - job.band_plan.inputs[source].begin,
                               job.plan.inputs[source].dtype, shape};
        }
        const std::size_t phase = source - job.plan.inputs.size();
        return PlacedArray{places.targets[phase] - job.band_plan.targets[phase].begin,
                           job.plan.target(phase).dtype, shape};
    };
    BindOrder order;
    order.job = job.id;
    order.kernel = static_cast<std::uint32_t>(step.kernel - kernels::all_kernels().data());
    order.phase = static_cast<std::uint32_t>(job.phase - step.first_phase);
    order.input_count = static_cast<std::uint32_t>(step.inputs.size());
    order.workspace_count = static_cast<std::uint32_t>(step.plan.workspaces.size());
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        order.inputs[i] = placed(step.inputs[i], step.input_shapes[i]);
    }
    const std::size_t own = job.plan.inputs.size() + step.first_phase;
    for (std::size_t i = 0; i < step.plan.workspaces.size(); ++i) {
        order.workspaces[i] = placed(own + i, step.plan.workspaces[i].array.shape);
    }
    order.output = placed(own + step.plan.workspaces.size(), step.plan.output.shape);
    const auto number = static_cast<std::size_t>(&step - job.plan.steps.data());
    order.table_offset = job.holds.work ? job.holds.work->begin + job.plan.work.table_at[number] : 0;
    order.table_bytes = static_cast<std::int64_t>(step.plan.table.size());
    order.tiles = job.tiles();
    order.program = step.plan.program;
    workers_.bind(worker, order,
                  step.kernel->load == nullptr ? WorkerPool::CodeOrigin::built_in
                                               : WorkerPool::CodeOrigin::plugin);
}

void JobConductor::lease_done(const LeaseReport& report) {
    const TileScheduler::Returned returned =
        scheduler_.give_back(report.lease, report.filled, std::chrono::nanoseconds(report.busy_nanoseconds));
    Job* const job = ledger_.find(returned.job);
    if (job != nullptr) {
        job->tiles_done += returned.newly_filled;
        mark_tiles(*job, returned.first, returned.newly_filled);
        if (job->ending) {
            finish_ending(*job);
        } else if (returned.band_complete) {
            phase_complete(*job);
        }
    }
    dispatch();
}

// The barrier: a phase begins when every tile of the one before it is filled.
void JobConductor::phase_complete(Job& job) {
    workers_.forget_job(job.id);
    do {
        ++job.phase;
    } while (job.whole_workspaces_ready && job.plan.is_done_once(job.phase));
    if (job.phase < job.plan.phase_count()) {
        mark_phase(job);
        pause_point("supervisor-after-phase");
        start_phase(job);
    } else {
        band_complete(job);
    }
}

void JobConductor::band_complete(Job& job) {
    job.compute_time.stop();
    const std::int64_t band = std::exchange(job.band, -1);
    job.pipeline.computed(band);
    mark_stage(job, band, BandStage::computed);
    job.whole_workspaces_ready = true;
    mark_workspaces(job);
    pause_point("supervisor-after-band");
    if (job.pipeline.all_computed()) {
        compute_finished(job);
    } else {
        advance(job);
    }
}

// What the steps tell beside their outputs, before their workspaces go.
void JobConductor::tell_tables(Job& job) {
    const std::vector<ToldArray> tables = job.plan.told();
    // Of a job that was computed before this supervisor came the workspaces are gone.
    if (tables.empty() || !job.holds.work || job.band_plan.targets.empty()) {
        return;
    }
    const Placement places = job.placement(job.plan.cut.count - 1, job.band_plan);
    for (const ToldArray& table : tables) {
        job.result[table.name] =
            table_rows_to_json(volume_.data() + places.targets[table.phase], table.extents);
    }
}

void JobConductor::compute_finished(Job& job) {
    scheduler_.remove(job.id);
    if (job.plan.is_answer() && job.holds.output) {
        job.result = answer_to_json(volume_.data() + job.holds.output->begin, job.plan.output);
    }
    tell_tables(job);
    for (std::optional<ByteRange>& run : job.holds.inputs) {
        if (run && job.mover.loads == 0) {
            if (job.record != nullptr) {
                job.record->inputs[static_cast<std::size_t>(&run - job.holds.inputs.data())] = {};
            }
            space_.release(*std::exchange(run, std::nullopt));
        }
    }
    if (job.holds.work) {
        if (job.record != nullptr) {
            job.record->work = {};
        }
        space_.release(*std::exchange(job.holds.work, std::nullopt));
    }
    if (!job.request.output) {
        end(job, JobOutcome::done, {});
    } else if (job.state == JobState::running) {
        ledger_.move(job, JobState::flushing);
        advance(job);
    }
    admit_waiting();
}

}  // namespace slab::daemon
