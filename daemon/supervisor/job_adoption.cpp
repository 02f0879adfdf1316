// What a supervisor finds of its predecessor's jobs: in the journal, in the volume's header, in systemd's store.

#include "common/units/unix_time.hpp"
#include "daemon/admission/file_identity.hpp"
#include "daemon/admission/job_json.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/session/request_decoding.hpp"
#include "daemon/supervisor/job_conductor.hpp"
#include "daemon/supervisor/service_notify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>

namespace slab::daemon {
namespace {

constexpr auto for_its_client = std::chrono::minutes(2);

std::optional<ByteRange> range_of(const RecordedRun& run) {
    return run.end > run.begin ? std::optional(ByteRange{run.begin, run.end}) : std::nullopt;
}

// Takes a job's files out of the store, if all of them are there; some alone are of no use, and stay for removal.
std::vector<UniqueDescriptor> take_files(std::map<std::string, UniqueDescriptor>& stored, const Job& job) {
    std::vector<UniqueDescriptor> files;
    for (std::size_t file = 0; file < job.request.file_count(); ++file) {
        if (!stored.contains(stored_name(job.id, file))) {
            return {};
        }
    }
    for (std::size_t file = 0; file < job.request.file_count(); ++file) {
        files.push_back(std::move(stored.extract(stored_name(job.id, file)).mapped()));
    }
    return files;
}

// Discarded when it is none.
Json status_in(const JobRecord& record) {
    const std::size_t bytes = std::min<std::size_t>(record.status_bytes, record.status.size());
    return Json::parse(std::string_view(record.status.data(), bytes), nullptr, false);
}

// A job goes on with the code that it began with, or not at all. Nothing: it is the same.
std::optional<Error> other_plugins(const Json& before, const Expected<JobPlan>& plan) {
    for (const auto& [kernel, plugin] : before.items()) {
        const std::string path = text_or(plugin, "plugin");
        if (!plan && kernels::find_kernel(kernel) == nullptr) {
            Error why = plan.error();
            why.because +=
                fmt::format("{}{} came with the plug-in {}", why.because.empty() ? "" : "; ", kernel, path);
            return why;
        }
        const Json now = (plan ? plugins_of(*plan) : Json::object()).value(kernel, Json::object());
        if (plan && text_or(now, "digest") != text_or(plugin, "digest")) {
            return Error{ErrorKind::refused,
                         fmt::format("the kernel {} is not the one that the job began with", kernel),
                         now.empty() ? fmt::format("it came with the plug-in {}, and is built in now", path)
                                     : fmt::format("the plug-in {} is another build than {} was",
                                                   text_or(now, "plugin"), path),
                         "Run the job again."};
        }
    }
    return plan ? std::nullopt : std::optional(plan.error());
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
        std::vector<UniqueDescriptor> files = take_files(stored, *job);
        if (!files.empty()) {
            spdlog::info("job={} goes on: systemd kept its files", job->id);
            job->request.files = std::move(files);
            if (job->request.linked) {
                job->client_awaited_until = Clock::now() + for_its_client;
            }
            begin_again(*job);
        } else {
            journal_.append({{"record", "interrupted"}, {"job", job->id}});
            spdlog::warn("job={} kernel={} user={} was interrupted by the end of the daemon that ran it: "
                         "{} of {} tiles are filled; slab resume {}",
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
    job.released_at =
        date_from(real_or(status, "ended_at", seconds_since_1970(std::chrono::system_clock::now())));
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
    if (!array || !output || !space_.adopt(id, *output)) {
        records_.release(*record);
        return;
    }
    // It lies in the volume. No result is in too little memory, or in memory that was never there.
    if (byte_count(array->array) > output->end - output->begin || !memory_.is_populated(*output)) {
        space_.release(*output);
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
    const auto cannot_run = other_plugins(journaled.submitted.value("plugins", Json::object()), plan);
    if (cannot_run || request->output_is_sequential()) {
        if (record != nullptr) {
            records_.release(*record);
        }
        // It can be told of, not gone on with: a setting has changed, or a kernel, or a pipe's reader has seen a part.
        const Error why = cannot_run
                              ? *cannot_run
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
                        {"submitted_at", seconds_since_1970(job.submitted_at)},
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
    begin_bands(job);
    if (record != nullptr) {
        adopt_progress(job, *record);
    }
}

// All of it or nothing: what a record says of extents must be true of each of them.
void JobConductor::adopt_progress(Job& job, JobRecord& record) {
    Holdings holds;
    holds.output = range_of(record.output);
    holds.ring = range_of(record.ring);
    holds.work = range_of(record.work);
    const RingPlan& ring = job.plan.ring;
    bool fits = record.plan == job.plan.fingerprint() && record.bands_done >= 0 &&
                record.bands_done <= job.plan.cut.count && holds.output.has_value() == (ring.output_at < 0) &&
                holds.ring.has_value() == job.plan.streams();
    bool has_sources = holds.work.has_value() == (job.plan.work.bytes > 0);
    for (std::size_t input = 0; input < job.request.inputs.size(); ++input) {
        holds.inputs.push_back(range_of(record.inputs[input]));
        has_sources = has_sources && holds.inputs.back().has_value() == (ring.input_at[input] < 0);
    }
    std::vector<ByteRange> taken;
    for (const ByteRange& run : fits ? holds.runs() : std::vector<ByteRange>{}) {
        fits = fits && space_.adopt(job.id, run);
        if (fits) {
            taken.push_back(run);
        }
    }
    if (!fits) {
        for (const ByteRange& run : taken) {
            space_.release(run);
        }
        records_.release(record);
        return;
    }
    holds.reserved = true;
    // A slot that was never used may still be without memory.
    for (const ByteRange& run : holds.runs()) {
        memory_.need(run);
    }
    job.holds = std::move(holds);
    job.record = &record;
    begin_bands(job);
    job.pipeline.resume_at(record.bands_done);
    job.whole_inputs_loaded = record.inputs_loaded != 0;
    job.whole_workspaces_ready = record.workspaces_ready != 0;
    for (std::int64_t band = record.bands_done; band < job.pipeline.bands(); ++band) {
        const RecordedSlot& slot = record.slots[static_cast<std::size_t>(job.pipeline.slot_of(band))];
        const auto stage = static_cast<BandStage>(slot.stage);
        // Inputs that are there whole, table and workspaces are given back when all is computed: only then may they
        // be missing.
        const bool is_usable = stage == BandStage::computed || (stage == BandStage::loaded && has_sources);
        if (slot.band != band || !is_usable || !slot_has_memory(job, band)) {
            break;
        }
        job.pipeline.resume(band, stage);
    }
    // What a job tells beside its output is read when all is computed, from workspaces that are then given back.
    const bool is_lost = job.pipeline.all_computed() ? !job.plan.told().empty() : !has_sources;
    if (is_lost) {
        forget_progress(job);
        return;
    }
    for (std::int64_t band = 0; band < job.pipeline.bands_computed(); ++band) {
        const BandPlan part = job.plan.band(band);
        for (std::size_t phase = 0; phase < part.phases.size(); ++phase) {
            job.tiles_adopted +=
                band > 0 && job.plan.is_done_once(phase) ? 0 : part.phases[phase].tile_count();
        }
    }
    // One that is not loaded has no bits yet: its slot's are those of the band before it there.
    const std::int64_t begun = job.pipeline.bands_computed();
    if (job.pipeline.stage_of(begun) == BandStage::loaded) {
        const BandPlan part = job.plan.band(begun);
        const std::size_t current = marked_phase(job, begun);
        for (std::size_t phase = 0; phase < current; ++phase) {
            job.tiles_adopted +=
                begun > 0 && job.plan.is_done_once(phase) ? 0 : part.phases[phase].tile_count();
        }
        for (const std::uint64_t word : tile_bits(job, begun, part.phases[current].tile_count())) {
            job.tiles_adopted += std::popcount(word);
        }
    }
    job.tiles_done = job.tiles_adopted;
    job.peak_volume_bytes = job.plan.holds_bytes;
}

}  // namespace slab::daemon
