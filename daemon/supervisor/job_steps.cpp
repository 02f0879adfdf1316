// A job's way forward: checked, admitted, loaded, computed band by band, flushed.

#include "daemon/supervisor/job_conductor.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/units/byte_size.hpp"
#include "daemon/kernels/kernel_registry.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {

void JobConductor::submit(ClientId client, const Peer& peer, JobRequest request, JobAnswer answer) {
    if (when_quiet_) {
        answer(std::unexpected(
            Error{ErrorKind::refused, "the daemon is stopping", "", "Submit again when it is back."}));
        return;
    }
    if (ledger_.unfinished().size() >= static_cast<std::size_t>(settings_.queue.most_waiting)) {
        answer(std::unexpected(
            Error{ErrorKind::refused, "too many jobs are waiting",
                  fmt::format("the limit is {} (queue.most_waiting)", settings_.queue.most_waiting),
                  "Wait for some to end."}));
        return;
    }
    auto plan = admission_.plan(request);
    if (!plan) {
        answer(std::unexpected(plan.error()));
        return;
    }
    const bool linked = request.linked;
    Job& job = ledger_.add(peer, std::move(request), std::move(*plan));
    submit_answers_.emplace(job.id, PendingAnswer{client, std::move(answer)});
    if (linked) {
        links_.emplace(job.id, client);
    }
    pause_point("supervisor-after-admission");
    movers_.take(job.id);
    send_check(job);
    // Room and warm memory at hand: the mover gets its next order before it has answered the first.
    const bool nobody_waits = std::ranges::none_of(
        ledger_.unfinished(), [](const auto& entry) { return entry.second->state == JobState::queued; });
    if (nobody_waits && reserve(job)) {
        advance_loading(job);
    }
    arm_tick();
}

void JobConductor::send_check(Job& job) {
    MoverOrder order{.kind = MoverOrderKind::check};
    order.input_count = static_cast<std::uint32_t>(job.request.inputs.size());
    for (std::size_t i = 0; i < job.request.inputs.size(); ++i) {
        order.inputs[i].file_offset = job.request.inputs[i].offset;
        order.inputs[i].bytes = byte_count(job.request.inputs[i].array);
    }
    if (job.request.output) {
        order.has_output = 1;
        order.output = {job.request.output->offset, job.plan.bytes_out, 0};
    }
    job.mover_step = Job::MoverStep::checking;
    movers_.order(job.id, order, {}, job.request.files);
}

void JobConductor::send_load(Job& job) {
    MoverOrder order{.kind = MoverOrderKind::load};
    order.input_count = static_cast<std::uint32_t>(job.request.inputs.size());
    for (std::size_t i = 0; i < job.request.inputs.size(); ++i) {
        const InputFile& input = job.request.inputs[i];
        const int swap =
            input.byte_order == ByteOrder::big ? static_cast<int>(swap_unit_of(input.array.dtype)) : 1;
        order.inputs[i] = {input.offset, byte_count(input.array), job.input_offsets[i], swap};
    }
    job.load_sent = true;
    if (job.mover_step == Job::MoverStep::idle) {
        job.mover_step = Job::MoverStep::loading;
    }
    job.load_began = Clock::now();
    job.bytes_moved = 0;
    movers_.order(job.id, order);
}

void JobConductor::send_flush(Job& job) {
    MoverOrder order{.kind = MoverOrderKind::flush};
    order.has_output = 1;
    order.output = {job.request.output->offset, job.plan.bytes_out, job.output_offset};
    job.mover_step = Job::MoverStep::flushing;
    job.flush_began = Clock::now();
    job.bytes_moved = 0;
    movers_.order(job.id, order, job.request.output->header);
}

void JobConductor::file_checked(Job& job) {
    job.mover_step = job.load_sent && !job.loaded ? Job::MoverStep::loading : Job::MoverStep::idle;
    if (job.state == JobState::received) {
        ledger_.move(job, JobState::queued);
        if (job.output_run) {
            job.admitted = Clock::now();
            ledger_.move(job, JobState::loading);
        }
        if (!ends_soon(job)) {
            answer_submit(job);
        }
        admit_waiting();
        advance_loading(job);
    } else if (job.state == JobState::loading) {
        advance_loading(job);  // a replacement mover has the files now
    } else if (job.state == JobState::flushing) {
        send_flush(job);
    }
}

// A job of a few tiles whose memory is at hand is answered when it has ended: one message and one wake-up of the
// client less, while the workers want the CPUs. The tick answers if it takes longer than it looked.
bool JobConductor::ends_soon(const Job& job) const {
    return !job.request.output && job.output_run && job.plan.tile_count <= workers_.size() && job.load_sent &&
           memory_.is_populated(*job.output_run);
}

// All of a job's extents or none: two jobs that each hold half of what they need would wait for ever.
bool JobConductor::reserve(Job& job) {
    std::vector<ByteRange> inputs;
    const auto give_up = [&] {
        for (const ByteRange& run : inputs) {
            space_.release(run);
        }
        return false;
    };
    std::vector<std::int64_t> offsets;
    constexpr std::int64_t page = 4096;
    for (const InputFile& input : job.request.inputs) {
        const auto run = space_.reserve(job.id, byte_count(input.array) + page);
        if (!run) {
            return give_up();
        }
        inputs.push_back(*run);
        offsets.push_back(run->begin + input.offset % page);
    }
    const auto output = space_.reserve(job.id, job.plan.bytes_out);
    if (!output) {
        return give_up();
    }
    job.input_runs = std::move(inputs);
    job.input_offsets = std::move(offsets);
    job.output_run = output;
    job.output_offset = output->begin;
    job.peak_volume_bytes = job.plan.holds_bytes;
    for (const ByteRange& run : job.input_runs) {
        memory_.need(run);
    }
    memory_.need(*output);
    return true;
}

// In the order of priority and age. Smaller jobs may pass one that does not fit yet, until it has waited for
// queue.patience: then nothing passes it, so that it cannot wait for ever.
void JobConductor::admit_waiting() {
    std::vector<Job*> waiting;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state == JobState::queued && !job->ending) {
            waiting.push_back(job);
        }
    }
    std::ranges::stable_sort(waiting, {}, [](const Job* job) { return job->request.priority; });
    for (Job* const job : waiting) {
        bool fits = reserve(*job);
        if (!fits && space_.collect_lingering()) {
            fits = reserve(*job);
        }
        if (fits) {
            job->reason.clear();
            job->admitted = Clock::now();
            ledger_.move(*job, JobState::loading);
            advance_loading(*job);
            continue;
        }
        std::string reason = why_waiting(*job);
        if (reason != job->reason) {
            job->reason = std::move(reason);
            spdlog::info("job={} kernel={} waits: {}", job->id, job->request.kernel, job->reason);
        }
        if (Clock::now() - job->submitted > settings_.queue.patience) {
            break;
        }
    }
}

std::string JobConductor::why_waiting(const Job& job) const {
    const SpaceUse use = space_.use();
    return fmt::format(
        "it needs {} of the volume; {} are free (the longest run {}), {} are held by jobs and kept "
        "results, {} by readers of dropped ones",
        byte_size_text(job.plan.holds_bytes), byte_size_text(use.free), byte_size_text(space_.largest_free()),
        byte_size_text(use.held), byte_size_text(use.lingering));
}

void JobConductor::advance_loading(Job& job) {
    if (job.ending || !job.output_run) {
        dispatch();
        return;
    }
    const bool inputs_ready = std::ranges::all_of(
        job.input_runs, [this](const ByteRange& run) { return memory_.is_populated(run); });
    if (inputs_ready && !job.load_sent) {
        send_load(job);
    }
    if (job.state == JobState::loading && job.loaded && memory_.is_populated(*job.output_run)) {
        start_running(job);
    }
    dispatch();
}

void JobConductor::start_running(Job& job) {
    ledger_.move(job, JobState::running);
    job.ran = Clock::now();
    scheduler_.add_band({job.id, job.owner.uid, job.request.priority}, job.current_band().tiles.tile_count());
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
    BindOrder order;
    order.job = job.id;
    order.kernel = static_cast<std::uint32_t>(job.plan.kernel - kernels::all_kernels().data());
    order.input_count = static_cast<std::uint32_t>(job.plan.inputs.size());
    for (std::size_t i = 0; i < job.plan.inputs.size(); ++i) {
        order.inputs[i] = {job.input_offsets[i], job.plan.inputs[i].dtype, job.plan.kernel_input_shapes[i]};
    }
    order.output = {job.output_offset, job.plan.output.dtype, job.plan.kernel_output_shape};
    order.tiles = job.current_band().tiles;
    order.program = job.plan.phases[job.phase].program;
    workers_.bind(worker, order);
}

void JobConductor::lease_done(const LeaseReport& report) {
    const TileScheduler::Returned returned =
        scheduler_.give_back(report.lease, report.filled, std::chrono::nanoseconds(report.busy_nanoseconds));
    Job* const job = ledger_.find(returned.job);
    if (job != nullptr) {
        job->tiles_done += returned.newly_filled;
        if (job->ending) {
            finish_ending(*job);
        } else if (returned.band_complete) {
            band_complete(*job);
        }
    }
    dispatch();
}

void JobConductor::band_complete(Job& job) {
    // The barrier: the next band or phase begins when every tile of this one is filled.
    workers_.forget_job(job.id);
    if (++job.band == job.plan.phases[job.phase].bands.size()) {
        job.band = 0;
        ++job.phase;
    }
    if (job.phase < job.plan.phases.size()) {
        scheduler_.add_band({job.id, job.owner.uid, job.request.priority},
                            job.current_band().tiles.tile_count());
    } else {
        compute_finished(job);
    }
}

void JobConductor::compute_finished(Job& job) {
    scheduler_.remove(job.id);
    job.compute_s = std::chrono::duration<double>(Clock::now() - job.ran).count();
    for (const ByteRange& run : job.input_runs) {
        space_.release(run);
    }
    job.input_runs.clear();
    if (job.request.output) {
        ledger_.move(job, JobState::flushing);
        if (job.mover_step == Job::MoverStep::idle) {
            send_flush(job);
        }
    } else {
        end(job, JobOutcome::done, {});
    }
    admit_waiting();
}

}  // namespace slab::daemon
