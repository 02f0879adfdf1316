// Outputs whose file system is full: who waits, and how it goes on.

#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace slab::daemon {
namespace {

constexpr auto between_tries = std::chrono::seconds(1);

}  // namespace

// A streaming job cannot be held back otherwise: its result is nowhere whole. One whose result is whole in the volume
// ends, so that the volume is not held for a disk, and the result stays to be fetched.
void JobConductor::no_space(Job& job, std::int64_t band, Error error) {
    const bool at_the_check = job.mover.checking;
    if (at_the_check) {
        job.mover = {};
        job.pipeline.begin_transfers_again();
        job.last_load = -1;
        if (job.record == nullptr && !job.request.guests) {  // guests may have mapped it already
            release_runs(job);  // nothing is in them yet; others may use them while it waits
        }
    } else {
        --job.mover.writes;
        job.flush_time.stop();
        job.pipeline.flush_again(band);
    }
    const bool may_wait = at_the_check && job.state == JobState::received
                              ? job.request.wait_for_space || job.is_resumed
                              : job.plan.ring.output_at >= 0;
    if (!may_wait) {
        end_early(job, job.state == JobState::received ? JobOutcome::refused : JobOutcome::failed,
                  std::move(error));
        return;
    }
    job.space_looked_for = Clock::now();
    job.reason = fmt::format("{}: {}", error.what, error.because);
    if (job.state != JobState::waiting_for_space) {
        spdlog::warn("job={} waits for space on disk: {}", job.id, job.reason);
        ledger_.move(job, JobState::waiting_for_space);
        answer_submit(job);
    }
    arm_tick();
}

void JobConductor::look_for_space() {
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state != JobState::waiting_for_space || job->ending || job->mover.checking ||
            job->mover.writes > 0 || Clock::now() - job->space_looked_for < between_tries) {
            continue;
        }
        job->space_looked_for = Clock::now();
        if (!job->mover.checked) {
            send_check(*job);
        } else if (const auto band = job->pipeline.take_flush()) {
            send_write(*job, *band);
        }
    }
}

void JobConductor::band_written(Job& job) {
    if (job.state == JobState::waiting_for_space) {
        leave_waiting(job);
    }
    advance(job);
}

void JobConductor::leave_waiting(Job& job) {
    job.reason.clear();
    const bool has_begun = job.band >= 0 || job.pipeline.bands_computed() > 0;
    if (job.state == JobState::received || !has_begun) {
        ledger_.move(job, JobState::queued);
        return;
    }
    ledger_.move(job, job.pipeline.all_computed() ? JobState::flushing : JobState::running);
}

}  // namespace slab::daemon
