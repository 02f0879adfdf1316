// What the volume's header says of jobs while they run, for the supervisor that finds it after this one was killed. Each
// mark is made after what it tells of has happened, and taken back before it stops being so.

#include "common/units/unix_time.hpp"
#include "daemon/supervisor/job_conductor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

RecordedRun recorded(const std::optional<ByteRange>& run) {
    return run ? RecordedRun{run->begin, run->end} : RecordedRun{};
}

}  // namespace

void JobConductor::mark_begin(Job& job) {
    if (!job.durable || job.record != nullptr || lifetime_ == Lifetime::embedded) {
        return;
    }
    job.record = records_.claim(job.id, seconds_since_1970(job.submitted_at), RecordUse::running);
    if (job.record == nullptr) {
        return;
    }
    job.record->plan = job.plan.fingerprint();
    job.record->output = recorded(job.holds.output);
    job.record->ring = recorded(job.holds.ring);
    job.record->work = recorded(job.holds.work);
    for (std::size_t input = 0; input < job.holds.inputs.size(); ++input) {
        job.record->inputs[input] = recorded(job.holds.inputs[input]);
    }
    job.record->slots.fill({-1, 0, 0});
    for (std::int64_t band = 0; band < job.plan.ring.slots; ++band) {  // loads may have been sent already
        const BandStage stage = job.pipeline.stage_of(band);
        if (stage != BandStage::empty) {
            mark_load(job, band);
            mark_stage(job, band, stage);
        }
    }
    JobRecords::publish(*job.record, job.id);
}

// The next phase of the band that is computed: its own tiles, none of them filled. In this order: whoever finds the old
// number beside empty bits computes the old phase again.
void JobConductor::mark_phase(Job& job) {
    if (job.record != nullptr) {
        forget_tile_bits(job, job.band);
        job.record->slots[static_cast<std::size_t>(job.pipeline.slot_of(job.band))].phase =
            static_cast<std::uint32_t>(job.phase);
    }
}

void JobConductor::mark_workspaces(Job& job) {
    if (job.record != nullptr) {
        job.record->workspaces_ready = 1;
    }
}

// Where to begin with a loaded band: after the phases that a former supervisor saw done. Workspaces that are there whole
// are not computed again.
std::size_t JobConductor::marked_phase(const Job& job, std::int64_t band) const {
    std::size_t phase = 0;
    if (job.record != nullptr) {
        const RecordedSlot& slot = job.record->slots[static_cast<std::size_t>(job.pipeline.slot_of(band))];
        phase = slot.band == band ? std::min<std::size_t>(slot.phase, job.plan.phase_count() - 1) : 0;
    }
    while (job.whole_workspaces_ready && job.plan.is_done_once(phase)) {
        ++phase;
    }
    return phase;
}

std::span<std::uint64_t> JobConductor::tile_bits(const Job& job, std::int64_t band,
                                                 std::int64_t tiles) const {
    if (job.record == nullptr) {
        return {};
    }
    return records_.tile_bits(*job.record, job.pipeline.slot_of(band), job.plan.ring.slots, tiles);
}

void JobConductor::forget_tile_bits(const Job& job, std::int64_t band) const {
    std::ranges::fill(records_.all_bits(*job.record, job.pipeline.slot_of(band), job.plan.ring.slots), 0);
}

// The slot gets another band: nothing of it is filled.
void JobConductor::mark_load(Job& job, std::int64_t band) {
    if (job.record == nullptr) {
        return;
    }
    job.record->bands_done = job.pipeline.bands_flushed();
    mark_stage(job, band, BandStage::empty);
    forget_tile_bits(job, band);
    RecordedSlot& slot = job.record->slots[static_cast<std::size_t>(job.pipeline.slot_of(band))];
    slot.phase = 0;
    slot.band = band;
}

void JobConductor::mark_stage(Job& job, std::int64_t band, BandStage stage) {
    if (job.record != nullptr) {
        job.record->slots[static_cast<std::size_t>(job.pipeline.slot_of(band))].stage =
            static_cast<std::uint32_t>(stage);
        job.record->bands_done = job.pipeline.bands_flushed();
    }
}

void JobConductor::mark_tiles(Job& job, std::int64_t first, std::int64_t count) {
    if (job.record == nullptr || job.band < 0) {
        return;
    }
    const std::span<std::uint64_t> bits = tile_bits(job, job.band, job.tiles().tile_count());
    for (std::int64_t tile = first; tile < first + count && !bits.empty(); ++tile) {
        bits[static_cast<std::size_t>(tile / 64)] |= std::uint64_t{1} << (tile % 64);
    }
}

// Before the journal is told: the tiles of a job whose end it misses would be computed again. A result that stays has a
// record also when the job was never in the journal.
void JobConductor::mark_ended(Job& job) {
    const bool stays = job.kept && !job.request.lent && lifetime_ != Lifetime::embedded;
    if (!stays) {
        if (job.record != nullptr && job.in_journal && !job.request.lent) {
            JobRecords::end(*job.record, RecordUse::ended, status_text(job));
        } else {
            unmark(job);
        }
        return;
    }
    if (job.record == nullptr) {
        job.record = records_.claim(job.id, seconds_since_1970(job.submitted_at), RecordUse::kept);
        if (job.record == nullptr) {
            spdlog::warn("job={} its result will not survive the daemon's death: {} others will", job.id,
                         job_record_count);
            return;
        }
        job.record->output = recorded(job.holds.output);
        JobRecords::publish(*job.record, job.id);
    }
    JobRecords::end(*job.record, RecordUse::kept, status_text(job));
}

void JobConductor::unmark(Job& job) {
    if (job.record != nullptr) {
        records_.release(*std::exchange(job.record, nullptr));
    }
}

// What a successor needs to tell of the job; what only its client wants goes first when the record is too small.
std::string JobConductor::status_text(const Job& job) const {
    Json status = to_json(job);
    status["submission"] = job.request.submission;
    std::string text;
    for (const char* const dispensable : {"", "note", "name", "reason"}) {
        status.erase(dispensable);
        text = status.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (text.size() <= JobRecords::longest_status) {
            break;
        }
    }
    return text;
}

}  // namespace slab::daemon
