// How a job outlives its supervisor: what is written down when it comes in, how it is interrupted, how it goes on.

#include "common/units/unix_time.hpp"
#include "daemon/admission/file_identity.hpp"
#include "daemon/admission/job_json.hpp"
#include "daemon/supervisor/job_conductor.hpp"
#include "daemon/supervisor/service_notify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {

// Before its output's first byte: what a successor must know to go on, and which files they were.
void JobConductor::write_submitted(Job& job) {
    const bool has_files =
        job.request.output || std::ranges::any_of(job.input_identities, [](const FileIdentity& file) {
            return file.is_anonymous == 0;
        });
    // A successor of this daemon could go on with a job of guests only if it had them.
    if (!has_files || !journal_.is_there() || job.request.guests) {
        return;
    }
    Json inputs = Json::array();
    for (const FileIdentity& input : job.input_identities) {
        inputs.push_back(identity_to_json(input));
    }
    job.durable = job.in_journal = true;
    for (std::size_t file = 0; file < job.request.files.size(); ++file) {
        store_descriptor(stored_name(job.id, file), job.request.files[file].get());
    }
    ++job.unwritten_records;
    journal_.append({{"record", "submitted"},
                     {"job", job.id},
                     {"uid", job.owner.uid},
                     {"user", job.owner.user},
                     {"submitted_at", seconds_since_1970(job.submitted_at)},
                     {"request", job.request.as_sent},
                     {"plugins", plugins_of(job.plan)},
                     {"inputs", inputs},
                     {"output", identity_to_json(job.output_identity)}},
                    [this, id = job.id](JournalKeeper::Kept kept) {
                        Job& written = *ledger_.find(id);
                        --written.unwritten_records;
                        written.durable = written.durable && kept == JournalKeeper::Kept::on_disk;
                        if (written.state != JobState::ended) {
                            answer_submit(written);
                            advance(written);
                        }
                    });
}

void JobConductor::forget_stored_files(const Job& job) {
    for (std::size_t file = 0; file < job.request.file_count(); ++file) {
        remove_stored(stored_name(job.id, file));
    }
}

Job* JobConductor::same_submission(const Peer& peer, const std::string& submission) {
    for (const auto& [id, job] : ledger_.jobs()) {
        if (!submission.empty() && job->owner.uid == peer.uid && job->request.submission == submission) {
            return job.get();
        }
    }
    return nullptr;
}

void JobConductor::link_again(ClientId client, Job& job, bool linked) {
    job.client_awaited_until.reset();
    const bool still_counts = job.state != JobState::ended || (job.kept && job.request.lent);
    if (linked && still_counts) {
        links_[job.id] = client;
    }
}

void JobConductor::resume(ClientId client, const Peer& peer, ResumeRequest request, JobAnswer answer) {
    const auto found = owned_job(peer, request.job, "resume");
    if (!found) {
        answer(std::unexpected(found.error()));
        return;
    }
    Job& job = **found;
    if (request.submitted_at && !is_same_date(*request.submitted_at, seconds_since_1970(job.submitted_at))) {
        answer(std::unexpected(Error{ErrorKind::usage, fmt::format("there is no such job {}", request.job),
                                     "another job has that number now", "See: slab ps --all"}));
        return;
    }
    if (job.state != JobState::interrupted || job.ending) {
        link_again(client, job, request.linked);
        answer(Json{{"job", to_json(job)}, {"resumed", false}});
        return;
    }
    if (when_quiet_) {
        answer(std::unexpected(
            Error{ErrorKind::refused, "the daemon is stopping", "", "Resume when it is back."}));
        return;
    }
    const std::size_t inputs = job.request.inputs.size();
    if (request.inputs.size() != inputs || request.output.has_value() != job.request.output.has_value()) {
        answer(std::unexpected(
            Error{ErrorKind::usage, fmt::format("job {} cannot go on without its files", job.id),
                  fmt::format("it needs {} inputs{}; {} inputs{} were given", inputs,
                              job.request.output ? " and its output" : "", request.inputs.size(),
                              request.output ? " and an output" : ""),
                  fmt::format("Give them: slab resume {}", job.id)}));
        return;
    }
    job.request.files = std::move(request.inputs);
    if (request.output) {
        job.request.files.push_back(std::move(*request.output));
    }
    if (request.note) {
        job.request.note = *request.note;
        job.request.as_sent["note"] = *request.note;
    }
    job.request.linked = request.linked;
    submit_answers_.emplace(job.id, PendingAnswer{client, std::move(answer), true});
    link_again(client, job, request.linked);
    begin_again(job);
}

void JobConductor::begin_again(Job& job) {
    job.is_resumed = true;
    job.reason.clear();
    ledger_.move(job, JobState::received);
    job.pipeline.begin_transfers_again();
    take_mover(job);
    arm_tick();
}

// False: an input has changed. The job stays as it is, for its owner to decide.
bool JobConductor::same_files(Job& job, const MoverReport& report) {
    for (std::size_t input = 0; input < job.request.inputs.size(); ++input) {
        if (report.inputs[input] == job.input_identities[input]) {
            continue;
        }
        const Error why{
            ErrorKind::refused, fmt::format("input {} of job {} is not the file it was", input + 1, job.id),
            report.inputs[input].is_same_file(job.input_identities[input]) ? "it was changed since"
                                                                           : "it is another file",
            fmt::format("Put the old one back, or begin anew: slab cancel {}, and submit again.", job.id)};
        interrupt(job, why);
        return false;
    }
    if (job.request.output && !report.output.is_same_file(job.output_identity)) {
        spdlog::info("job={} its output is another file: everything is computed again", job.id);
        forget_progress(job);
    }
    return true;
}

void JobConductor::forget_progress(Job& job) {
    if (job.record != nullptr) {
        records_.release(*std::exchange(job.record, nullptr));
    }
    release_runs(job);
    begin_bands(job);
    job.tables_written = job.whole_workspaces_ready = false;
    job.whole_inputs_loaded = false;
    job.last_load = -1;
    job.tiles_done = job.tiles_adopted = 0;
}

// Nobody works for it any more; what it has computed stays. A daemon that stops says nothing of it: its successor may
// go on with the job, and a client that hears only the end of its connection waits for that.
void JobConductor::interrupt(Job& job, const Error& why) {
    const bool had_begun = job.state != JobState::received;
    scheduler_.remove(job.id);
    workers_.forget_job(job.id);
    movers_.finish(job.id);
    job.mover = {};
    job.request.files.clear();
    const bool is_stopping = static_cast<bool>(when_quiet_);
    if (!is_stopping) {
        // Its owner decides how it goes on, and brings the files.
        forget_stored_files(job);
    }
    links_.erase(job.id);
    if (had_begun) {
        forget_progress(job);  // its mover has emptied the output
    }
    job.reason = why.because;
    job.released_at = std::chrono::system_clock::now();
    job.is_resumed = true;
    ledger_.move(job, JobState::interrupted);
    const auto pending = submit_answers_.find(job.id);
    if (pending != submit_answers_.end()) {
        const JobAnswer answer = std::move(pending->second.answer);
        submit_answers_.erase(pending);
        if (!is_stopping) {
            answer(std::unexpected(why));
        }
    }
    ++job.unwritten_records;
    journal_.append({{"record", "interrupted"}, {"job", job.id}}, [this, id = job.id](JournalKeeper::Kept) {
        Job& written = *ledger_.find(id);
        --written.unwritten_records;
        if (!when_quiet_ && is_watched(id)) {
            on_job_event(to_json(written));
        }
        if (when_quiet_ && is_quiet()) {
            boost::asio::post(loop_, when_quiet_);
        }
    });
    arm_expiry();
}

}  // namespace slab::daemon
