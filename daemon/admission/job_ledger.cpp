#include "daemon/admission/job_ledger.hpp"

#include "common/protocol/table_json.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace slab::daemon {
namespace {

// A job is shown for long after its end, and there are many: what may have megabytes goes.
void forget_tables(Job& job) {
    job.request.steps.clear();
    job.request.as_sent = Json();
    for (StepPlan& step : job.plan.steps) {
        step.parameters.forget_tables_above(most_told_numbers);
        step.plan.table = {};
    }
}

}  // namespace

Job& JobLedger::add(Peer owner, JobRequest request, JobPlan plan) {
    auto job = std::make_unique<Job>();
    job->id = next_id_++;
    job->owner = std::move(owner);
    job->request = std::move(request);
    job->plan = std::move(plan);
    job->submitted_at = std::chrono::system_clock::now();
    job->submitted = Clock::now();
    Job& added = *job;
    unfinished_.emplace(added.id, &added);
    jobs_.emplace(added.id, std::move(job));
    spdlog::info("job={} kernel={} received user={} output={} {} holds_bytes={} tiles={}", added.id,
                 added.request.kernel, added.owner.user, to_text(added.plan.output.shape),
                 name_of(added.plan.output.dtype), added.plan.holds_bytes, added.plan.tile_count);
    return added;
}

Job& JobLedger::adopt(JobId id, Peer owner, JobState state) {
    auto job = std::make_unique<Job>();
    job->id = id;
    job->owner = std::move(owner);
    job->state = state;
    Job& added = *job;
    if (state == JobState::ended) {
        ended_.push_back(id);
    } else {
        unfinished_.emplace(id, &added);
    }
    jobs_.emplace(id, std::move(job));
    set_next_id(id + 1);
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
}

void JobLedger::end(Job& job, JobOutcome outcome, Error error) {
    const JobState from = job.state;
    job.outcome = outcome;
    job.error = std::move(error);
    job.reason.clear();
    job.ended = Clock::now();
    job.released_at = std::chrono::system_clock::now();
    unfinished_.erase(job.id);
    ended_.push_back(job.id);
    move(job, JobState::ended);
    forget_tables(job);
    spdlog::info("job={} kernel={} {} -> ended outcome={} tiles={} repeated={} workers_lost={} load_s={:.3f} "
                 "compute_s={:.3f} flush_s={:.3f} wall_s={:.3f}{}{}",
                 job.id, job.request.kernel, name_of(from), name_of(outcome), job.tiles_done,
                 job.tiles_repeated, job.workers_lost, std::max(0.0, job.load_time.seconds()),
                 std::max(0.0, job.compute_time.seconds()), std::max(0.0, job.flush_time.seconds()),
                 std::chrono::duration<double>(job.ended - job.submitted).count(),
                 job.error.what.empty() ? "" : " error=", job.error.what);
}

void JobLedger::forget_old() {
    // Kept results stay, however old: they are looked at again when others are forgotten.
    std::deque<JobId> kept;
    while (ended_.size() > static_cast<std::size_t>(history_)) {
        const JobId id = ended_.front();
        ended_.pop_front();
        const Job* const job = find(id);
        if (job->kept || job->holds.output || job->unwritten_records > 0) {
            kept.push_back(id);
        } else {
            jobs_.erase(id);
        }
    }
    ended_.insert(ended_.begin(), kept.begin(), kept.end());
}

}  // namespace slab::daemon
