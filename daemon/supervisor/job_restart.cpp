// Jobs over the end of a supervisor: what its successor finds, and how they go on.

#include "common/units/byte_size.hpp"
#include "daemon/session/request_decoding.hpp"
#include "daemon/supervisor/job_conductor.hpp"
#include "daemon/supervisor/service_notify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace slab::daemon {
namespace {

constexpr auto for_its_client = std::chrono::minutes(2);

Json to_json(const FileIdentity& file) {
    return {{"device", file.device},
            {"inode", file.inode},
            {"bytes", file.bytes},
            {"modified_ns", file.modified_ns},
            {"is_anonymous", file.is_anonymous}};
}

FileIdentity identity_from(const Json& json) {
    FileIdentity file;
    file.device = json.value("device", std::uint64_t{0});
    file.inode = json.value("inode", std::uint64_t{0});
    file.bytes = json.value("bytes", std::int64_t{0});
    file.modified_ns = json.value("modified_ns", std::int64_t{0});
    file.is_anonymous = json.value("is_anonymous", std::uint32_t{0});
    return file;
}

std::chrono::system_clock::time_point date_from(double seconds) {
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::duration<double>(seconds)));
}

double seconds_of(std::chrono::system_clock::time_point date) {
    return std::chrono::duration<double>(date.time_since_epoch()).count();
}

bool is_same_date(double a, double b) {
    return std::abs(a - b) < 1e-3;
}

std::optional<ByteRange> range_of(const RecordedRun& run) {
    return run.end > run.begin ? std::optional(ByteRange{run.begin, run.end}) : std::nullopt;
}

// Discarded when it is none.
Json status_in(const JobRecord& record) {
    const std::size_t bytes = std::min<std::size_t>(record.status_bytes, record.status.size());
    return Json::parse(std::string_view(record.status.data(), bytes), nullptr, false);
}

Json request_of(const JournaledJob& journaled) {
    return journaled.submitted.value("request", Json::object());
}

std::string submission_of(const JournaledJob& journaled) {
    return text_or(request_of(journaled), "submission");
}

Json note_of(const JournaledJob& journaled) {
    return request_of(journaled).value("note", Json::object());
}

}  // namespace

// Before its output's first byte: what a successor must know to go on, and which files they were.
void JobConductor::write_submitted(Job& job) {
    const bool has_files =
        job.request.output || std::ranges::any_of(job.input_identities, [](const FileIdentity& file) {
            return file.is_anonymous == 0;
        });
    if (!has_files || !journal_.is_there()) {
        return;
    }
    Json inputs = Json::array();
    for (const FileIdentity& input : job.input_identities) {
        inputs.push_back(slab::daemon::to_json(input));
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
                     {"submitted_at", seconds_of(job.submitted_at)},
                     {"request", job.request.as_sent},
                     {"inputs", inputs},
                     {"output", slab::daemon::to_json(job.output_identity)}},
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

void JobConductor::adopt(const ReplayedJournal& journal, std::map<std::string, UniqueDescriptor> stored) {
    ledger_.set_next_id(std::max<JobId>(journal.next_id, volume_.header().last_job + 1));
    std::map<JobId, JobRecord*> records;
    for (JobRecord* const record : records_.take_over()) {
        records.emplace(record->job, record);
    }
    const auto record_of_job = [&records](JobId id, double submitted_at, RecordUse use) -> JobRecord* {
        const auto found = records.find(id);
        const bool fits = found != records.end() && found->second->use == use &&
                          is_same_date(found->second->submitted_at, submitted_at);
        return fits ? std::exchange(found->second, nullptr) : nullptr;
    };
    for (const auto& [id, journaled] : journal.jobs) {
        const double submitted_at = real_or(journaled.submitted, "submitted_at", 0);
        JobRecord* const kept =
            journaled.dropped ? nullptr : record_of_job(id, submitted_at, RecordUse::kept);
        if (journaled.ended) {
            Json status = *journaled.ended;
            status["submission"] = submission_of(journaled);
            adopt_ended(id, std::move(status), kept);
        } else if (!journaled.dropped &&
                   !adopt_end(journaled,
                              kept != nullptr ? kept : record_of_job(id, submitted_at, RecordUse::ended))) {
            adopt_unfinished(journaled, record_of_job(id, submitted_at, RecordUse::running));
        }
    }
    // Kept results of jobs that never were in the journal, or are not any more.
    for (const auto& [id, record] : records) {
        if (record == nullptr) {
            continue;
        }
        const Json status = record->use == RecordUse::kept ? status_in(*record) : Json();
        if (status.is_object() && ledger_.find(id) == nullptr) {
            adopt_ended(id, status, record);
        } else {
            records_.release(*record);
        }
    }
    volume_.set_last_job(ledger_.last_id());

    std::vector<Job*> interrupted;
    for (const auto& [id, job] : ledger_.unfinished()) {
        interrupted.push_back(job);
    }
    for (Job* const job : interrupted) {
        const std::size_t wanted = job->request.inputs.size() + (job->request.output ? 1 : 0);
        std::vector<UniqueDescriptor> files;
        for (std::size_t file = 0; file < wanted; ++file) {
            const auto found = stored.find(stored_name(job->id, file));
            if (found != stored.end()) {
                files.push_back(std::move(found->second));
                stored.erase(found);
            }
        }
        if (files.size() == wanted) {
            spdlog::info("job={} goes on: systemd kept its files", job->id);
            job->request.files = std::move(files);
            if (job->request.linked) {
                job->client_awaited_until = Clock::now() + for_its_client;
            }
            begin_again(*job);
        } else {
            journal_.append({{"record", "interrupted"}, {"job", job->id}});
            spdlog::warn("job={} kernel={} user={} was interrupted by the end of the daemon that ran it: {} "
                         "of {} tiles "
                         "are filled; slab resume {}",
                         job->id, job->request.kernel, job->owner.user, job->tiles_done, job->plan.tile_count,
                         job->id);
        }
    }
    for (const auto& [name, descriptor] : stored) {
        remove_stored(name);
    }
    ledger_.forget_old();
    arm_expiry();
}

// The journal missed the end of a job whose record in the volume tells it. False: it does not.
bool JobConductor::adopt_end(const JournaledJob& journaled, JobRecord* record) {
    Json status = record != nullptr ? status_in(*record) : Json();
    if (!status.is_object()) {
        if (record != nullptr) {
            records_.release(*record);
        }
        return false;
    }
    if (!status.contains("note")) {
        status["note"] = note_of(journaled);
    }
    spdlog::info("job={} had ended before the journal knew: {}", journaled.id, text_or(status, "outcome"));
    const bool has_result = record->use == RecordUse::kept;
    adopt_ended(journaled.id, status, has_result ? record : nullptr);
    status.erase("submission");
    journal_.append({{"record", "ended"}, {"job", journaled.id}, {"status", status}},
                    [this, record, has_result](JournalKeeper::Kept) {
                        if (!has_result) {
                            records_.release(*record);
                        }
                    });
    return true;
}

void JobConductor::adopt_ended(JobId id, Json status, JobRecord* record) {
    const auto array = array_from_json(status.value("output", Json::object()));
    Peer owner{static_cast<uid_t>(integer_or(status, "uid", 0)), text_or(status, "user")};
    Job& job = ledger_.adopt(id, std::move(owner), JobState::ended);
    job.durable = job.in_journal = flag_or(status, "durable", false);
    job.request.kernel = text_or(status, "kernel");
    job.request.submission = text_or(status, "submission");
    job.submitted_at = date_from(real_or(status, "submitted_at", 0));
    job.released_at = date_from(real_or(status, "ended_at", seconds_of(std::chrono::system_clock::now())));
    const std::string outcome = text_or(status, "outcome");
    for (const JobOutcome one :
         {JobOutcome::done, JobOutcome::failed, JobOutcome::cancelled, JobOutcome::refused}) {
        job.outcome = name_of(one) == outcome ? one : job.outcome;
    }
    status.erase("submission");  // its client's secret
    status["id"] = id;
    job.past = std::move(status);
    if (record == nullptr) {
        return;
    }
    const auto output = range_of(record->output);
    if (!array || !output || byte_count(array->array) > output->end - output->begin ||
        !space_.adopt(id, *output)) {
        records_.release(*record);
        return;
    }
    job.plan.output = array->array;
    job.plan.bytes_out = byte_count(array->array);
    job.holds.output = output;
    job.kept = true;
    job.record = record;
    spdlog::info("job={} its result is still here: {} bytes={}", id, to_text(job.plan.output.shape),
                 job.plan.bytes_out);
}

void JobConductor::adopt_unfinished(const JournaledJob& journaled, JobRecord* record) {
    Peer owner{static_cast<uid_t>(integer_or(journaled.submitted, "uid", 0)),
               text_or(journaled.submitted, "user")};
    Message message{journaled.submitted.value("request", Json::object()), {}};
    auto request = decode_job_request(message, Descriptors::none);
    auto plan = request ? admission_.plan(*request) : std::unexpected(request.error());
    Job& job = ledger_.adopt(journaled.id, std::move(owner), JobState::interrupted);
    job.durable = job.in_journal = true;
    job.is_resumed = true;
    job.submitted_at = date_from(real_or(journaled.submitted, "submitted_at", 0));
    job.submitted = Clock::now();
    job.released_at = std::chrono::system_clock::now();
    if (!plan || request->output_is_sequential()) {
        if (record != nullptr) {
            records_.release(*record);
        }
        // It can be told of, not gone on with: a setting has changed, or a kernel, or a pipe's reader has seen a part.
        const Error why = !plan ? plan.error()
                                : Error{ErrorKind::failed, "the job's output was a pipe",
                                        "what a pipe has taken cannot be taken back", "Run the job again."};
        job.past = Json{{"id", job.id},
                        {"kernel", text_or(message.body, "kernel")},
                        {"user", job.owner.user},
                        {"uid", job.owner.uid},
                        {"state", "ended"},
                        {"outcome", "failed"},
                        {"error", error_to_json(why)},
                        {"note", message.body.value("note", Json::object())},
                        {"submitted_at", seconds_of(job.submitted_at)},
                        {"durable", true}};
        end(job, JobOutcome::failed, why);
        return;
    }
    request->as_sent = journaled.submitted["request"];
    job.request = std::move(*request);
    job.plan = std::move(*plan);
    for (const Json& input : journaled.submitted.value("inputs", Json::array())) {
        job.input_identities.push_back(identity_from(input));
    }
    job.output_identity = identity_from(journaled.submitted.value("output", Json::object()));
    job.input_identities.resize(job.request.inputs.size());
    begin_phase(job);
    if (record != nullptr) {
        adopt_progress(job, *record);
    }
}

// All of it or nothing: what a record says of extents must be true of each of them.
void JobConductor::adopt_progress(Job& job, const JobRecord& record) {
    Holdings holds;
    holds.output = range_of(record.output);
    holds.ring = range_of(record.ring);
    const RingPlan& ring = job.plan.ring;
    bool fits = record.plan == job.plan.fingerprint() && record.phase < job.plan.phases.size() &&
                record.bands_done >= 0 && record.bands_done <= job.plan.phases[record.phase].band_count &&
                holds.output.has_value() == (ring.output_at < 0) &&
                holds.ring.has_value() == job.plan.streams();
    bool has_inputs = true;
    for (std::size_t input = 0; input < job.request.inputs.size(); ++input) {
        holds.inputs.push_back(range_of(record.inputs[input]));
        has_inputs = has_inputs && holds.inputs.back().has_value() == (ring.input_at[input] < 0);
    }
    std::vector<ByteRange> taken;
    for (const ByteRange& run : fits ? holds.runs() : std::vector<ByteRange>{}) {
        fits = fits && space_.adopt(job.id, run);
        if (fits) {
            taken.push_back(run);
        }
    }
    auto& own = const_cast<JobRecord&>(record);
    if (!fits) {
        for (const ByteRange& run : taken) {
            space_.release(run);
        }
        records_.release(own);
        return;
    }
    holds.reserved = true;
    holds.is_populated = true;
    job.holds = std::move(holds);
    job.record = &own;
    job.phase = record.phase;
    begin_phase(job);
    job.pipeline.resume_at(record.bands_done);
    job.whole_inputs_loaded = record.inputs_loaded != 0;
    for (std::int64_t band = record.bands_done; band < job.pipeline.bands(); ++band) {
        const RecordedSlot& slot = record.slots[static_cast<std::size_t>(job.pipeline.slot_of(band))];
        const auto stage = static_cast<BandStage>(slot.stage);
        // Inputs that are there whole are given back when all is computed: only then may they be missing.
        const bool is_usable = stage == BandStage::computed || (stage == BandStage::loaded && has_inputs);
        if (slot.band != band || !is_usable) {
            break;
        }
        job.pipeline.resume(band, stage);
    }
    if (!has_inputs && !job.pipeline.all_computed()) {
        forget_progress(job);
        return;
    }
    for (std::int64_t band = 0; band < job.pipeline.bands_computed(); ++band) {
        job.tiles_adopted += job.plan.band(job.phase, band).tiles.tile_count();
    }
    // One that is not loaded has no bits yet: its slot's are those of the band before it there.
    if (job.pipeline.stage_of(job.pipeline.bands_computed()) == BandStage::loaded) {
        for (const std::uint64_t word : tile_bits(job, job.pipeline.bands_computed())) {
            job.tiles_adopted += std::popcount(word);
        }
    }
    job.tiles_done = job.tiles_adopted;
    job.peak_volume_bytes = job.plan.holds_bytes;
}

void JobConductor::forget_progress(Job& job) {
    if (job.record != nullptr) {
        records_.release(*std::exchange(job.record, nullptr));
    }
    release_runs(job);
    job.phase = 0;
    begin_phase(job);
    job.whole_inputs_loaded = false;
    job.last_load = -1;
    job.tiles_done = job.tiles_adopted = 0;
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
    if (request.submitted_at && !is_same_date(*request.submitted_at, seconds_of(job.submitted_at))) {
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

// Nobody works for it any more; what it has computed stays.
void JobConductor::interrupt(Job& job, const Error& why) {
    const bool had_begun = job.state != JobState::received;
    scheduler_.remove(job.id);
    workers_.forget_job(job.id);
    movers_.finish(job.id);
    mover_deadlines_.erase(job.id);
    job.mover = {};
    job.request.files.clear();
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
        answer(std::unexpected(why));
    }
    ++job.unwritten_records;
    journal_.append({{"record", "interrupted"}, {"job", job.id}}, [this, id = job.id](JournalKeeper::Kept) {
        Job& written = *ledger_.find(id);
        --written.unwritten_records;
        if (is_watched(id)) {
            on_job_event(to_json(written));
        }
        if (when_quiet_ && is_quiet()) {
            boost::asio::post(loop_, when_quiet_);
        }
    });
    arm_expiry();
}

}  // namespace slab::daemon
