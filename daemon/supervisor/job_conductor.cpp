#include "daemon/supervisor/job_conductor.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/units/byte_size.hpp"
#include "daemon/kernels/kernel_registry.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(100);
constexpr auto mover_patience = std::chrono::seconds(2);  // for a mover that was told to cancel
constexpr int most_movers_lost = 3;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

JobConductor::JobConductor(boost::asio::io_context& loop, Settings& settings, const VolumeSegment& volume,
                           ChildSpawner& spawner, const std::vector<int>& slot_cpus, Lifetime lifetime)
    : loop_(loop), settings_(settings), volume_(volume), lifetime_(lifetime),
      space_(volume.extents(), volume.data_offset(),
             [descriptor = volume.descriptor()](ByteRange range) { return locked_parts(descriptor, range); }),
      admission_(settings, space_.largest_possible()), ledger_(settings.results.history),
      workers_(loop, spawner, slot_cpus, settings.workers.nice,
               {.has_room = [this] { dispatch(); },
                .lease_done = [this](const LeaseReport& report) { lease_done(report); },
                .extents_done = [this](const ExtentReport& report) { extents_done(report); },
                .died = [this](WorkerSlot worker,
                               const std::vector<ExtentOrder>& extents) { worker_died(worker, extents); },
                .warm_extents = [this] { return warm_extents(); }}),
      movers_(loop, spawner,
              {.reported = [this](JobId job, const MoverReport& report) { mover_reported(job, report); },
               .died = [this](JobId job) { mover_died(job); }}),
      memory_(space_, workers_, settings.volume.huge_pages), tick_(loop) {
    ledger_.on_move = [this](const Job& job) { job_changed(job); };
}

void JobConductor::start() {
    workers_.start();
    movers_.start();
    if (settings_.volume.populate == Populate::background) {
        memory_.populate_in_background();
    }
}

// --- steps forward -------------------------------------------------------------------------------------------------

void JobConductor::submit(ClientId client, const Peer& peer, JobRequest request, JobAnswer answer) {
    if (when_quiet_) {
        answer(std::unexpected(Error{ErrorKind::refused, "the daemon is stopping", "", "Submit again when it is back."}));
        return;
    }
    if (ledger_.unfinished() >= static_cast<std::size_t>(settings_.queue.most_waiting)) {
        answer(std::unexpected(Error{ErrorKind::refused, "too many jobs are waiting",
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
        ledger_.jobs(), [](const auto& entry) { return entry.second->state == JobState::queued; });
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
        const int swap = input.byte_order == ByteOrder::big ? static_cast<int>(swap_unit_of(input.array.dtype)) : 1;
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
        answer_submit(job);
        admit_waiting();
        advance_loading(job);
    } else if (job.state == JobState::loading) {
        advance_loading(job);  // a replacement mover has the files now
    } else if (job.state == JobState::flushing) {
        send_flush(job);
    }
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
    for (const auto& [id, job] : ledger_.jobs()) {
        if (job->state == JobState::queued && !job->ending) {
            waiting.push_back(job.get());
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
    return fmt::format("it needs {} of the volume; {} are free (the longest run {}), {} are held by jobs and kept "
                       "results, {} by readers of dropped ones",
                       byte_size_text(job.plan.holds_bytes), byte_size_text(use.free),
                       byte_size_text(space_.largest_free()), byte_size_text(use.held),
                       byte_size_text(use.lingering));
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
    scheduler_.add_band({job.id, job.owner.uid, job.request.priority},
                        job.current_band().tiles.tile_count());
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
    const TileScheduler::Returned returned = scheduler_.give_back(
        report.lease, report.filled, std::chrono::nanoseconds(report.busy_nanoseconds));
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
    job.compute_s = seconds_since(job.ran);
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

// --- the end -------------------------------------------------------------------------------------------------------

void JobConductor::end_early(Job& job, JobOutcome outcome, Error error) {
    if (job.state == JobState::ended || job.ending) {
        return;
    }
    job.ending = {outcome, std::move(error)};
    scheduler_.stop(job.id);
    if (scheduler_.leases_out(job.id) > 0) {
        workers_.stop_job(job.id);
    }
    // Also an idle mover is told: it empties the output.
    if (movers_.serves(job.id) && (job.mover_step != Job::MoverStep::idle || job.request.output)) {
        stop_mover(job);
    }
    finish_ending(job);
}

void JobConductor::stop_mover(Job& job) {
    job.mover_step = Job::MoverStep::cancelling;
    mover_deadlines_[job.id] = Clock::now() + mover_patience;
    movers_.order(job.id, {.kind = MoverOrderKind::cancel});
}

void JobConductor::finish_ending(Job& job) {
    if (scheduler_.leases_out(job.id) > 0 || job.mover_step != Job::MoverStep::idle) {
        return;
    }
    const Job::Ending ending = *job.ending;
    job.ending.reset();
    end(job, ending.outcome, ending.error);
    admit_waiting();
}

void JobConductor::end(Job& job, JobOutcome outcome, Error error) {
    scheduler_.remove(job.id);
    workers_.forget_job(job.id);
    movers_.finish(job.id);
    mover_deadlines_.erase(job.id);
    job.request.files.clear();
    job.kept = outcome == JobOutcome::done && job.request.keep;
    release_runs(job);
    if (!(job.kept && job.request.lent)) {
        links_.erase(job.id);
    }
    jobs_done_ += outcome == JobOutcome::done ? 1 : 0;
    ledger_.end(job, outcome, std::move(error));
    last_told_.erase(job.id);
    answer_submit(job);
    const auto [first, last] = cancel_answers_.equal_range(job.id);
    for (auto waiting = first; waiting != last; ++waiting) {
        waiting->second.answer(Json{{"job", to_json(job)}});
    }
    cancel_answers_.erase(first, last);
    ledger_.forget_old();
    if (when_quiet_ && ledger_.unfinished() == 0) {
        boost::asio::post(loop_, when_quiet_);
    }
}

// Not before the requests of a mover that died have drained: they might still write into the extents.
void JobConductor::release_runs(Job& job) {
    std::vector<ByteRange> runs = std::exchange(job.input_runs, {});
    if (job.output_run && !job.kept) {
        runs.push_back(*std::exchange(job.output_run, std::nullopt));
    }
    if (!runs.empty()) {
        movers_.when_drained(job.id, [this, runs] {
            for (const ByteRange& run : runs) {
                space_.release(run);
            }
            boost::asio::post(loop_, [this] { admit_waiting(); });
        });
    }
}

// --- what children report ------------------------------------------------------------------------------------------

void JobConductor::mover_reported(JobId id, const MoverReport& report) {
    if (const auto fetch = fetches_.find(id); fetch != fetches_.end()) {
        fetch_reported(id, fetch->second, report);
        return;
    }
    Job* const job = ledger_.find(id);
    if (job == nullptr || job->state == JobState::ended) {
        return;
    }
    if (job->ending && report.kind != MoverReportKind::cancelled) {
        return;  // it was told to stop; what it says before it does so is of no use
    }
    switch (report.kind) {
    case MoverReportKind::checked: file_checked(*job); break;
    case MoverReportKind::progress: job->bytes_moved = report.bytes; break;
    case MoverReportKind::loaded:
        job->mover_step = Job::MoverStep::idle;
        job->loaded = true;
        job->load_s = report.seconds;
        job->load_method = report.method.data();
        advance_loading(*job);
        break;
    case MoverReportKind::flushed:
        job->mover_step = Job::MoverStep::idle;
        job->flush_s = report.seconds;
        job->flush_method = report.method.data();
        end(*job, JobOutcome::done, {});
        admit_waiting();
        break;
    case MoverReportKind::failed: {
        job->mover_step = Job::MoverStep::idle;
        Error error{static_cast<ErrorKind>(report.error_kind), report.what.data(), report.because.data(),
                    report.remedy.data()};
        const JobOutcome outcome = job->state == JobState::received ? JobOutcome::refused : JobOutcome::failed;
        end_early(*job, outcome, std::move(error));
        break;
    }
    case MoverReportKind::cancelled:
        job->mover_step = Job::MoverStep::idle;
        mover_deadlines_.erase(id);
        if (job->ending) {
            finish_ending(*job);
        }
        break;
    case MoverReportKind::ready: break;
    }
}

void JobConductor::mover_died(JobId id) {
    if (fetches_.contains(id)) {
        end_fetch(id, std::unexpected(Error{ErrorKind::failed, "the process that wrote the file died", "",
                                            "Fetch it again; the result is still there."}));
        return;
    }
    Job* const job = ledger_.find(id);
    if (job == nullptr || job->state == JobState::ended) {
        return;
    }
    ++job->movers_lost;
    const bool wait_for_nothing = job->ending.has_value();
    if (!wait_for_nothing && job->movers_lost >= most_movers_lost) {
        job->mover_step = Job::MoverStep::idle;
        end_early(*job, JobOutcome::failed,
                  {ErrorKind::failed, "the processes that move this job's files die",
                   fmt::format("{} of them, the last one while the job was {}", job->movers_lost,
                               name_of(job->state)),
                   "See the daemon's log."});
        return;
    }
    // Nothing it had under way may touch the volume when the work is begun again.
    movers_.when_drained(id, [this, id] {
        Job* const again = ledger_.find(id);
        if (again == nullptr || again->state == JobState::ended) {
            return;
        }
        again->mover_step = Job::MoverStep::idle;
        if (again->ending) {
            finish_ending(*again);
            return;
        }
        again->load_sent = again->loaded;
        movers_.take(id);
        send_check(*again);
    });
}

void JobConductor::extents_done(const ExtentReport& report) {
    const MemoryOrders::Outcome outcome = memory_.finished(report);
    const auto overlaps = [&outcome](const ByteRange& run) {
        return run.begin < outcome.run.end && outcome.run.begin < run.end;
    };
    std::vector<Job*> touched;
    for (const auto& [id, job] : ledger_.jobs()) {
        const bool before_running = job->state == JobState::received || job->state == JobState::loading;
        if (before_running && (std::ranges::any_of(job->input_runs, overlaps) ||
                               (job->output_run && overlaps(*job->output_run)))) {
            touched.push_back(job.get());
        }
    }
    for (Job* const job : touched) {
        if (outcome.error) {
            end_early(*job, JobOutcome::failed, *outcome.error);
        } else {
            advance_loading(*job);
        }
    }
    if (touched.empty()) {
        admit_waiting();
    }
    dispatch();
}

void JobConductor::worker_died(WorkerSlot worker, const std::vector<ExtentOrder>& extents) {
    ++workers_lost_;
    for (const ExtentOrder& order : extents) {
        memory_.lost(order);
    }
    const TileScheduler::Death death = scheduler_.worker_died(worker);
    for (const TileScheduler::Loss& loss : death.losses) {
        Job* const job = ledger_.find(loss.job);
        job->workers_lost += loss.job == death.guilty_job ? 1 : 0;
        job->tiles_repeated += loss.tiles;
        if (job->ending) {
            finish_ending(*job);
        }
    }
    if (death.poisoned) {
        Job& job = *ledger_.find(*death.poisoned);
        Box tile = job.current_band().tiles.tile_box(death.poison_tile);
        if (job.plan.output.order == MemoryOrder::fortran) {
            std::reverse(tile.begin.begin(), tile.begin.begin() + tile.rank);
            std::reverse(tile.end.begin(), tile.end.begin() + tile.rank);
        }
        end_early(job, JobOutcome::failed,
                  {ErrorKind::failed,
                   fmt::format("tile {} {} of the output killed {} workers", death.poison_tile, to_text(tile),
                               TileScheduler::most_deaths),
                   "the kernel crashes or hangs there, or something kills workers (no memory?)",
                   "See the daemon's log; other jobs are not affected."});
    }
    dispatch();
}

// --- requests about jobs -------------------------------------------------------------------------------------------

Expected<Job*> JobConductor::owned_job(const Peer& peer, JobId id, std::string_view action) {
    Job* const job = ledger_.find(id);
    if (job == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no job {}", id), "", "See: slab ps --all"});
    }
    if (peer.uid != job->owner.uid && peer.uid != 0) {
        return std::unexpected(Error{ErrorKind::refused, fmt::format("job {} is not yours to {}", id, action),
                                     fmt::format("it belongs to {}", job->owner.user),
                                     fmt::format("Ask {}, or root.", job->owner.user)});
    }
    return job;
}

void JobConductor::cancel(ClientId client, const Peer& peer, JobId id, JobAnswer answer) {
    const auto job = owned_job(peer, id, "cancel");
    if (!job) {
        answer(std::unexpected(job.error()));
        return;
    }
    if ((*job)->state == JobState::ended) {
        answer(Json{{"job", to_json(**job)}});
        return;
    }
    cancel_answers_.emplace(id, PendingAnswer{client, std::move(answer)});
    end_early(**job, JobOutcome::cancelled,
              {ErrorKind::cancelled, fmt::format("job {} was cancelled", id),
               fmt::format("{} wanted it so", peer.user), ""});
}

void JobConductor::client_gone(ClientId client) {
    const auto is_its = [client](const auto& entry) { return entry.second.client == client; };
    std::erase_if(submit_answers_, is_its);
    std::erase_if(cancel_answers_, is_its);
    std::vector<JobId> linked;
    for (const auto& [job, owner] : links_) {
        if (owner == client) {
            linked.push_back(job);
        }
    }
    for (const JobId id : linked) {
        links_.erase(id);
        Job& job = *ledger_.find(id);
        if (job.kept) {
            drop_result(job, "its client has gone");
        }
        end_early(job, JobOutcome::cancelled,
                  {ErrorKind::cancelled, fmt::format("job {} was cancelled", id),
                   "the client that waited for it has gone", ""});
    }
    for (auto& [id, fetch] : fetches_) {
        if (fetch.answer.client == client) {
            movers_.order(id, {.kind = MoverOrderKind::cancel});
        }
    }
}

Expected<AttachGrant> JobConductor::attach(const Peer& peer, JobId id) {
    Job* const job = ledger_.find(id);
    if (job == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no job {}", id), "", "See: slab ps --all"});
    }
    const AttachPolicy allow = settings_.attach.allow;
    if (allow == AttachPolicy::none || (allow == AttachPolicy::owner && peer.uid != ::geteuid())) {
        return std::unexpected(
            Error{ErrorKind::refused, "this daemon lets you attach to nothing",
                  allow == AttachPolicy::none ? "attach.allow is \"none\""
                                              : "attach.allow is \"owner\": only the daemon's own user may",
                  fmt::format("Copy the result instead: slab fetch {} -o FILE", id)});
    }
    if (!job->kept || !job->output_run) {
        return std::unexpected(Error{ErrorKind::usage, fmt::format("job {} has no result in the volume", id),
                                     job->state != JobState::ended ? fmt::format("it is {}", name_of(job->state))
                                                                   : "it was not kept, or it was dropped",
                                     "Run it with --keep."});
    }
    auto reader = open_with_read_lock(volume_.descriptor(),
                                      {job->output_offset, job->output_offset + job->plan.bytes_out});
    if (!reader) {
        return std::unexpected(reader.error());
    }
    Json array = array_to_json(job->plan.output);
    array["offset"] = job->output_offset;
    array["volume_bytes"] = volume_.bytes();
    spdlog::info("job={} attached by user={}", id, peer.user);
    return AttachGrant{std::move(array), std::move(*reader)};
}

void JobConductor::fetch(ClientId client, const Peer& peer, JobId id, OutputFile output, UniqueDescriptor file,
                         JobAnswer answer) {
    const auto job = owned_job(peer, id, "fetch");
    if (!job) {
        answer(std::unexpected(job.error()));
        return;
    }
    if (!(*job)->kept || fetches_.contains(id)) {
        answer(std::unexpected(Error{ErrorKind::usage,
                                     (*job)->kept ? fmt::format("job {} is being fetched already", id)
                                                  : fmt::format("job {} has no result in the volume", id),
                                     "", (*job)->kept ? "Wait for the other fetch." : "Run it with --keep."}));
        return;
    }
    Fetch fetch{{client, std::move(answer)}, std::move(output), {}, false};
    fetch.file.push_back(std::move(file));
    MoverOrder order{.kind = MoverOrderKind::check};
    order.has_output = 1;
    order.output = {fetch.output.offset, (*job)->plan.bytes_out, 0};
    movers_.take(id);
    movers_.order(id, order, {}, fetch.file);
    fetches_.emplace(id, std::move(fetch));
}

void JobConductor::fetch_reported(JobId id, Fetch& fetch, const MoverReport& report) {
    switch (report.kind) {
    case MoverReportKind::checked: {
        const Job& job = *ledger_.find(id);
        MoverOrder order{.kind = MoverOrderKind::flush};
        order.has_output = 1;
        order.output = {fetch.output.offset, job.plan.bytes_out, job.output_offset};
        movers_.order(id, order, fetch.output.header);
        break;
    }
    case MoverReportKind::flushed:
        end_fetch(id, Json{{"bytes", report.bytes}, {"flush_s", report.seconds}, {"flush_method", report.method.data()}});
        break;
    case MoverReportKind::failed:
        end_fetch(id, std::unexpected(Error{static_cast<ErrorKind>(report.error_kind), report.what.data(),
                                            report.because.data(), report.remedy.data()}));
        break;
    case MoverReportKind::cancelled:
        end_fetch(id, std::unexpected(Error{ErrorKind::cancelled, "the fetch was cancelled", "", ""}));
        break;
    case MoverReportKind::progress:
    case MoverReportKind::loaded:
    case MoverReportKind::ready: break;
    }
}

void JobConductor::end_fetch(JobId id, Expected<Json> result) {
    movers_.finish(id);
    const auto found = fetches_.find(id);
    const JobAnswer answer = std::move(found->second.answer.answer);
    fetches_.erase(found);
    answer(std::move(result));
}

Expected<Json> JobConductor::drop(const Peer& peer, JobId id) {
    const auto found = owned_job(peer, id, "drop");
    if (!found) {
        return std::unexpected(found.error());
    }
    Job& job = **found;
    if (!job.kept) {
        return std::unexpected(Error{ErrorKind::usage, fmt::format("job {} has no result in the volume", id),
                                     job.state != JobState::ended ? fmt::format("it is {}", name_of(job.state))
                                                                  : "it was not kept, or it was dropped",
                                     job.state != JobState::ended ? fmt::format("End it first: slab cancel {}", id)
                                                                  : ""});
    }
    if (fetches_.contains(id)) {
        return std::unexpected(Error{ErrorKind::refused, fmt::format("job {} is being fetched", id), "",
                                     "Drop it when the fetch has ended."});
    }
    drop_result(job, "user=" + peer.user);
    Json answer{{"job", to_json(job)}};
    ledger_.forget_old();
    admit_waiting();
    return answer;
}

void JobConductor::drop_result(Job& job, const std::string& why) {
    job.kept = false;
    links_.erase(job.id);
    release_runs(job);
    spdlog::info("job={} dropped: {}", job.id, why);
}

void JobConductor::trim(ClientId client, const Peer& peer, JobAnswer answer) {
    static_cast<void>(client);
    if (peer.uid != 0 && peer.uid != ::geteuid()) {
        answer(std::unexpected(Error{ErrorKind::refused, "trim is for root and the daemon's own user", "", ""}));
        return;
    }
    space_.collect_lingering();
    memory_.trim([this, answer = std::move(answer)](std::int64_t bytes) {
        spdlog::info("trimmed bytes={}", bytes);
        answer(Json{{"bytes", bytes}});
        admit_waiting();
    });
    dispatch();
}

Json JobConductor::hello() const {
    return {{"protocol", protocol_version}, {"version", SLABD_VERSION}, {"instance", settings_.instance},
            {"pid", ::getpid()},            {"simd", kernels::simd_level()}};
}

Json JobConductor::list(bool ended_too) const {
    Json jobs = Json::array();
    for (const auto& [id, job] : const_cast<JobLedger&>(ledger_).jobs()) {
        if (ended_too || job->state != JobState::ended || job->kept) {
            jobs.push_back(to_json(*job));
        }
    }
    return jobs;
}

Expected<Json> JobConductor::show(JobId id) const {
    const Job* const job = const_cast<JobLedger&>(ledger_).find(id);
    if (job == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no job {}", id), "", "See: slab ps --all"});
    }
    return Json{{"job", to_json(*job)}};
}

// --- events and time -----------------------------------------------------------------------------------------------

void JobConductor::answer_submit(Job& job) {
    const auto found = submit_answers_.find(job.id);
    if (found == submit_answers_.end()) {
        return;
    }
    const JobAnswer answer = std::move(found->second.answer);
    submit_answers_.erase(found);
    if (job.outcome == JobOutcome::refused) {
        answer(std::unexpected(job.error));
    } else {
        answer(Json{{"job", to_json(job)}});
    }
}

void JobConductor::job_changed(const Job& job) {
    if (on_job_event && job.state == JobState::ended) {
        on_job_event(to_json(job));  // what happens in between is told by the tick
    }
}

void JobConductor::arm_tick() {
    if (std::exchange(ticking_, true)) {
        return;
    }
    tick_.expires_after(tick_interval);
    tick_.async_wait([this](const boost::system::error_code& failure) {
        ticking_ = false;
        if (!failure) {
            tick();
        }
    });
}

// Runs while jobs are unfinished; an idle daemon does not wake up.
void JobConductor::tick() {
    workers_.enforce_deadline(settings_.workers.tile_deadline);
    const auto now = Clock::now();
    for (auto& [id, deadline] : mover_deadlines_) {
        if (now > deadline) {
            spdlog::warn("job={} its mover does not answer (a file system that hangs?): killed", id);
            movers_.kill(id);
            deadline = Clock::time_point::max();
        }
    }
    admit_waiting();
    for (const auto& [id, job] : ledger_.jobs()) {
        if (job->state == JobState::ended || job->state == JobState::received) {
            continue;
        }
        const std::pair progress(job->tiles_done + static_cast<std::int64_t>(job->state) * (std::int64_t{1} << 40),
                                 job->bytes_moved);
        if (on_job_event && last_told_[id] != progress) {
            last_told_[id] = progress;
            on_job_event(to_json(*job));
        }
    }
    if (ledger_.unfinished() > 0) {
        arm_tick();
    }
}

// What a fresh worker maps in before it says idle: everything when the pages are huge (one fault for 2 MiB), else the
// extents of jobs that run.
std::vector<ByteRange> JobConductor::warm_extents() const {
    const SpaceUse use = space_.use();
    if (use.populated == use.bytes && use.huge == use.bytes) {
        return {space_.everything()};
    }
    std::vector<ByteRange> runs;
    for (const auto& [id, job] : const_cast<JobLedger&>(ledger_).jobs()) {
        if (job->state == JobState::running) {
            runs.insert(runs.end(), job->input_runs.begin(), job->input_runs.end());
            runs.push_back(*job->output_run);
        }
    }
    return runs;
}

void JobConductor::shut_down(std::function<void()> then) {
    when_quiet_ = std::move(then);
    std::vector<Job*> unfinished;
    for (const auto& [id, job] : ledger_.jobs()) {
        if (job->state != JobState::ended) {
            unfinished.push_back(job.get());
        }
    }
    if (unfinished.empty()) {
        boost::asio::post(loop_, when_quiet_);
    }
    for (Job* const job : unfinished) {
        end_early(*job, JobOutcome::failed,
                  {ErrorKind::interrupted, fmt::format("job {} was interrupted", job->id), "the daemon was stopped",
                   "Submit it again when the daemon is back."});
    }
}

void JobConductor::stop_children() {
    tick_.cancel();
    workers_.stop();
    movers_.stop();
}

void JobConductor::settings_changed() { ledger_.set_history(settings_.results.history); }

}  // namespace slab::daemon
