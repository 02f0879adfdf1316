// How a job ends, early or done, and what is given back when nobody works for it any more.

#include "daemon/supervisor/job_conductor.hpp"

#include "daemon/supervisor/service_notify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace slab::daemon {

void JobConductor::end_early(Job& job, JobOutcome outcome, Error error) {
    if (job.state == JobState::ended || (job.ending && !job.ending->interrupts)) {
        return;
    }
    if (!job.ending) {
        job.ending = {outcome, std::move(error)};
    }
    scheduler_.stop(job.id);
    if (scheduler_.leases_out(job.id) > 0) {
        workers_.stop_job(job.id);
    }
    // Also an idle mover is told: it empties the output. From here on a successor must find nothing to go on from.
    if (movers_.serves(job.id) && (!job.mover.is_idle() || job.request.output)) {
        unmark(job);
        job.mover = {.cancelling = true};
        movers_.cancel(job.id);
    }
    finish_ending(job);
}

void JobConductor::finish_ending(Job& job) {
    if (scheduler_.leases_out(job.id) > 0 || !job.mover.is_idle()) {
        return;
    }
    const Job::Ending ending = *job.ending;
    job.ending.reset();
    if (ending.interrupts) {
        interrupt(job, ending.error);
        return;
    }
    end(job, ending.outcome, ending.error);
    admit_waiting();
}

void JobConductor::end(Job& job, JobOutcome outcome, Error error) {
    scheduler_.remove(job.id);
    // A result that is whole in the volume outlives the failure to write it: `slab fetch` gets it elsewhere.
    const bool whole_result = job.holds.output && job.pipeline.all_computed() &&
                              !job.request.output_is_sequential() && !job.request.guests;
    job.kept =
        whole_result && (outcome == JobOutcome::failed || (outcome == JobOutcome::done && job.request.keep));
    if (job.kept && outcome == JobOutcome::failed && lifetime_ == Lifetime::service) {
        error.remedy += fmt::format("{}Its result is still in the volume: slab fetch {} -o ELSEWHERE.",
                                    error.remedy.empty() ? "" : " ", job.id);
    }
    for (Stopwatch* const time : {&job.load_time, &job.compute_time, &job.flush_time}) {
        time->stop_all();
    }
    guests_.dismiss(job.id);
    if (job.holds.segment) {
        job.holds.segment->is_warm |= outcome == JobOutcome::done;
    }
    release_runs(job);
    if (!(job.kept && job.request.lent)) {
        links_.erase(job.id);
    }
    jobs_done_ += outcome == JobOutcome::done ? 1 : 0;
    ledger_.end(job, outcome, std::move(error));
    last_told_.erase(job.id);
    mark_ended(job);
    ++unannounced_;
    if (job.in_journal) {
        ++job.unwritten_records;
        journal_.append({{"record", "ended"}, {"job", job.id}, {"status", to_json(job)}},
                        [this, id = job.id](JournalKeeper::Kept kept) {
                            Job& written = *ledger_.find(id);
                            --written.unwritten_records;
                            // Not before: a successor that knows nothing of the end goes on with them.
                            forget_stored_files(written);
                            // Else the record in the volume is all that a successor has.
                            const bool is_known = kept == JournalKeeper::Kept::on_disk || !written.durable;
                            if (!written.kept && is_known) {
                                unmark(written);
                            }
                            announce(written);
                        });
    } else {
        announce(job);
    }
    part_from_plugins();
    // After the answers: these wake children, who would keep the client from its CPU.
    workers_.forget_job(job.id);
    movers_.finish(job.id);
    job.request.files.clear();
    arm_expiry();
}

// Nobody hears of an end before it is in the journal.
void JobConductor::announce(Job& job) {
    --unannounced_;
    answer_guests(job);
    if (is_watched(job.id)) {
        on_job_event(to_json(job));
    }
    answer_submit(job);
    const auto [first, last] = cancel_answers_.equal_range(job.id);
    for (auto waiting = first; waiting != last; ++waiting) {
        waiting->second.answer(Json{{"job", to_json(job)}});
    }
    cancel_answers_.erase(first, last);
    boost::asio::post(loop_, [this] { ledger_.forget_old(); });
    if (when_quiet_ && is_quiet()) {
        boost::asio::post(loop_, when_quiet_);
    }
}

// Not before the requests of a mover that died have drained: they might still write into the extents.
void JobConductor::release_runs(Job& job) {
    Holdings given_up = std::exchange(job.holds, {});
    if (job.kept) {
        job.holds.output = std::exchange(given_up.output, std::nullopt);
    }
    if (given_up.segment) {
        movers_.when_drained(job.id, [this, segment = given_up.segment] {
            guest_memory_.release(segment);
            arm_guest_expiry();
            boost::asio::post(loop_, [this] { admit_waiting(); });
        });
    }
    const std::vector<ByteRange> runs = given_up.runs();
    if (!runs.empty()) {
        movers_.when_drained(job.id, [this, runs] {
            for (const ByteRange& run : runs) {
                space_.release(run);
            }
            boost::asio::post(loop_, [this] { admit_waiting(); });
        });
    }
}

}  // namespace slab::daemon
