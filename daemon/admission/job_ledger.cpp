#include "daemon/admission/job_ledger.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace slab::daemon {

Job& JobLedger::add(Peer owner, JobRequest request, JobPlan plan) {
    auto job = std::make_unique<Job>();
    job->id = next_id_++;
    job->owner = std::move(owner);
    job->request = std::move(request);
    job->plan = std::move(plan);
    job->submitted_at = std::chrono::system_clock::now();
    job->submitted = Clock::now();
    Job& added = *job;
    jobs_.emplace(added.id, std::move(job));
    spdlog::info("job={} kernel={} received user={} output={} {} holds_bytes={} tiles={}", added.id,
                 added.request.kernel, added.owner.user, to_text(added.plan.output.shape),
                 name_of(added.plan.output.dtype), added.plan.holds_bytes, added.plan.tile_count);
    return added;
}

Job* JobLedger::find(JobId id) {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : found->second.get();
}

const Job* JobLedger::find(JobId id) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : found->second.get();
}

void JobLedger::move(Job& job, JobState to) {
    if (!may_move(job.state, to)) {
        spdlog::critical("job={} may not move {} -> {}", job.id, name_of(job.state), name_of(to));
        std::abort();
    }
    if (to != JobState::ended) {
        spdlog::info("job={} kernel={} {} -> {} tiles={} repeated={}", job.id, job.request.kernel,
                     name_of(job.state), name_of(to), job.tiles_done, job.tiles_repeated);
    }
    job.state = to;
    if (on_move && to != JobState::ended) {
        on_move(job);
    }
}

void JobLedger::end(Job& job, JobOutcome outcome, Error error) {
    const JobState from = job.state;
    job.outcome = outcome;
    job.error = std::move(error);
    job.reason.clear();
    job.ended = Clock::now();
    move(job, JobState::ended);
    spdlog::info("job={} kernel={} {} -> ended outcome={} tiles={} repeated={} workers_lost={} load_s={:.3f} "
                 "compute_s={:.3f} flush_s={:.3f} wall_s={:.3f}{}{}",
                 job.id, job.request.kernel, name_of(from), name_of(outcome), job.tiles_done, job.tiles_repeated,
                 job.workers_lost, std::max(0.0, job.load_s), std::max(0.0, job.compute_s),
                 std::max(0.0, job.flush_s), std::chrono::duration<double>(job.ended - job.submitted).count(),
                 job.error.what.empty() ? "" : " error=", job.error.what);
    if (on_move) {
        on_move(job);
    }
}

std::size_t JobLedger::unfinished() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(jobs_, [](const auto& entry) { return entry.second->state != JobState::ended; }));
}

void JobLedger::forget_old() {
    const auto forgettable = [](const auto& entry) {
        return entry.second->state == JobState::ended && !entry.second->kept && !entry.second->output_run;
    };
    auto count = std::ranges::count_if(jobs_, forgettable);
    for (auto entry = jobs_.begin(); entry != jobs_.end() && count > history_;) {
        if (forgettable(*entry)) {
            entry = jobs_.erase(entry);
            --count;
        } else {
            ++entry;
        }
    }
}

}  // namespace slab::daemon
