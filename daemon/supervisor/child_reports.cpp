// What movers and workers report, and what their deaths mean for jobs.

#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

constexpr int most_movers_lost = 3;

std::string phase_text(const JobPlan& plan, std::size_t phase) {
    const StepPlan& step = plan.step_of(phase);
    std::string text = phase == step.output_phase()
                           ? "the output"
                           : fmt::format("the kernel's workspace {}", phase - step.first_phase + 1);
    return plan.steps.size() == 1 ? text : fmt::format("{} of step '{}'", text, step.name);
}

// "the kernel", "the kernel blur of the plug-in /opt/lab/blur.so"
std::string culprit(const kernels::KernelDescription& kernel) {
    return kernel.plugin.empty() ? "the kernel"
                                 : fmt::format("the kernel {} of the plug-in {}", kernel.name, kernel.plugin);
}

}  // namespace

void JobConductor::mover_reported(JobId id, const MoverReport& report) {
    if (fetches_.is_fetching(id)) {
        fetches_.reported(id, report);
        return;
    }
    Job* const job = ledger_.find(id);
    if (job == nullptr || job->state == JobState::ended) {
        return;
    }
    if (job->ending && report.kind != MoverReportKind::cancelled) {
        return;  // it was told to stop; what it says before it does so is of no use
    }
    job->bytes_loaded = std::max(job->bytes_loaded, report.bytes_loaded);
    job->bytes_written = std::max(job->bytes_written, report.bytes_written);
    switch (report.kind) {
    case MoverReportKind::checked: file_checked(*job, report); break;
    case MoverReportKind::progress: break;
    case MoverReportKind::loaded:
        --job->mover.loads;
        job->load_time.stop();
        job->load_method = report.method.data();
        job->pipeline.loaded(report.band);
        job->whole_inputs_loaded = true;
        if (job->record != nullptr) {
            job->record->inputs_loaded = 1;
        }
        mark_stage(*job, report.band, BandStage::loaded);
        advance(*job);
        break;
    case MoverReportKind::written:
        --job->mover.writes;
        job->flush_time.stop();
        job->flush_method = report.method.data();
        job->pipeline.flushed(report.band);
        mark_stage(*job, report.band, BandStage::computed);  // it has left its slot when bands_done says so
        band_written(*job);
        break;
    case MoverReportKind::no_space: no_space(*job, report.band, error_of(report)); break;
    case MoverReportKind::sealed:
        job->mover.sealing = false;
        end(*job, JobOutcome::done, {});
        admit_waiting();
        break;
    case MoverReportKind::failed: {
        job->mover = {};
        if (job->state == JobState::received && job->is_resumed) {
            interrupt(*job, error_of(report));
            break;
        }
        const JobOutcome outcome =
            job->state == JobState::received ? JobOutcome::refused : JobOutcome::failed;
        end_early(*job, outcome, error_of(report));
        break;
    }
    case MoverReportKind::cancelled:
        job->mover = {};
        if (job->ending) {
            finish_ending(*job);
        }
        break;
    case MoverReportKind::ready: break;
    }
}

void JobConductor::mover_died(JobId id) {
    if (fetches_.is_fetching(id)) {
        fetches_.mover_died(id);
        return;
    }
    Job* const job = ledger_.find(id);
    if (job == nullptr || job->state == JobState::ended) {
        return;
    }
    ++job->movers_lost;
    const bool half_told = job->request.output_is_sequential() &&
                           (job->mover.writes > 0 || job->mover.sealing || job->pipeline.bands_flushed() > 0);
    if (half_told && !job->ending) {
        job->mover = {};
        end_early(*job, JobOutcome::failed,
                  {ErrorKind::failed, "the process that wrote the output died",
                   "what a pipe has taken cannot be taken back", "Run the job again."});
        return;
    }
    const bool wait_for_nothing = job->ending.has_value();
    if (!wait_for_nothing && job->movers_lost >= most_movers_lost) {
        job->mover = {};
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
        if (again == nullptr || again->state == JobState::ended || again->state == JobState::interrupted) {
            return;
        }
        again->mover = {};
        again->load_time.stop_all();
        again->flush_time.stop_all();
        if (again->ending) {
            finish_ending(*again);
            return;
        }
        again->pipeline.begin_transfers_again();
        take_mover(*again);
    });
}

// The job ends without its mover; its extents are given back when the mover is dead and its requests have drained.
void JobConductor::mover_hangs(JobId id) {
    Job* const job = ledger_.find(id);
    if (job != nullptr && job->ending && job->ending->interrupts) {
        return;  // it keeps its extents, and somebody may resume it
    }
    const bool is_fetch = fetches_.is_fetching(id);
    if (!is_fetch && (job == nullptr || !job->ending)) {
        return;
    }
    spdlog::warn("job={} its mover cannot be killed (a file system that hangs): given up", id);
    movers_.abandon(id);
    if (is_fetch) {
        fetches_.mover_hangs(id);
    } else {
        job->mover = {};
        finish_ending(*job);
    }
}

void JobConductor::cannot_run(const CannotRunReport& report) {
    Job* const job = ledger_.find(report.job);
    if (job == nullptr || job->ending || job->state == JobState::ended) {
        return;
    }
    const kernels::KernelDescription& kernel = job->plan.step_of(job->phase).kernel->describe();
    end_early(*job, JobOutcome::failed,
              {ErrorKind::failed,
               fmt::format("the plug-in {} of {} cannot be loaded", kernel.plugin, kernel.name),
               report.because.data(),
               "Restart the daemon: it looks at its plug-ins anew, and says what is wrong."});
}

void JobConductor::extents_done(const ExtentReport& report) {
    const MemoryOrders::Outcome outcome = memory_.finished(report);
    const auto overlaps = [&outcome](const ByteRange& run) {
        return run.begin < outcome.run.end && outcome.run.begin < run.end;
    };
    std::vector<Job*> touched;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->holds.reserved && !job->holds.is_populated &&
            std::ranges::any_of(job->holds.runs(), overlaps)) {
            touched.push_back(job);
        }
    }
    for (Job* const job : touched) {
        if (outcome.error) {
            end_early(*job, JobOutcome::failed, *outcome.error);
        } else {
            advance(*job);
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
    Job* const poisoned = death.poisoned ? ledger_.find(*death.poisoned) : nullptr;
    if (poisoned != nullptr && poisoned->state != JobState::ended) {  // it may have been ending anyway
        Job& job = *poisoned;
        Box tile = job.tiles().tile_box(death.poison_tile);
        if (job.plan.step_of(job.phase).output.order == MemoryOrder::fortran) {
            std::reverse(tile.begin.begin(), tile.begin.begin() + tile.rank);
            std::reverse(tile.end.begin(), tile.end.begin() + tile.rank);
        }
        end_early(job, JobOutcome::failed,
                  {ErrorKind::failed,
                   fmt::format("tile {} {} of {} killed {} workers", death.poison_tile, to_text(tile),
                               phase_text(job.plan, job.phase), TileScheduler::most_deaths),
                   culprit(job.plan.step_of(job.phase).kernel->describe()) +
                       " crashes or hangs there, or something kills workers (no memory?)",
                   "See the daemon's log; other jobs are not affected."});
    }
    dispatch();
}

}  // namespace slab::daemon
