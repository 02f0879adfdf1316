#pragma once

#include "daemon/admission/job.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

namespace slab::daemon {

// All jobs that this supervisor knows, and the only writer of their states. Every move is one log line.
class JobLedger {
  public:
    explicit JobLedger(int history) : history_(history) {}

    Job& add(Peer owner, JobRequest request, JobPlan plan);

    // Null when unknown.
    Job* find(JobId id);
    const Job* find(JobId id) const;

    // Stops this process when the table of moves forbids it: our fault, and better noticed than lived with.
    void move(Job& job, JobState to);
    void end(Job& job, JobOutcome outcome, Error error = {});

    // A job of a former supervisor, under its own number: ended, or interrupted.
    Job& adopt(JobId id, Peer owner, JobState state);
    void set_next_id(JobId id) { next_id_ = std::max(next_id_, id); }
    JobId last_id() const { return next_id_ - 1; }

    // Oldest first.
    const std::map<JobId, std::unique_ptr<Job>>& jobs() const { return jobs_; }
    // Those that have not ended, oldest first: what the loop looks through all the time, however long the history.
    const std::map<JobId, Job*>& unfinished() const { return unfinished_; }

    // Forgets the oldest ended jobs beyond the number that history keeps. Kept results stay.
    void forget_old();
    void set_history(int history) { history_ = history; }

  private:
    std::map<JobId, std::unique_ptr<Job>> jobs_;
    std::map<JobId, Job*> unfinished_;
    std::deque<JobId> ended_;  // oldest first; also those that are kept
    JobId next_id_ = 1;
    int history_;
};

}  // namespace slab::daemon
