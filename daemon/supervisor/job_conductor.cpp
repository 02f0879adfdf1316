#include "daemon/supervisor/job_conductor.hpp"

#include "common/units/byte_size.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(100);

std::int64_t guest_bytes_of(const Settings& settings) {
    return parse_byte_size(settings.guests.memory, memory_bytes()).value_or(0);
}

}  // namespace

JobConductor::JobConductor(boost::asio::io_context& loop, Settings& settings, const VolumeSegment& volume,
                           ChildSpawner& spawner, const std::vector<int>& slot_cpus, Lifetime lifetime,
                           UniqueDescriptor journal_folder, const ReplayedJournal& journal,
                           const PluginRoster& plugins)
    : loop_(loop), settings_(settings), volume_(volume), plugins_(plugins), lifetime_(lifetime),
      space_(volume.extents(), volume.data_offset(),
             [descriptor = volume.descriptor()](ByteRange range) { return locked_parts(descriptor, range); }),
      admission_(settings, space_.largest_possible(), guest_bytes_of(settings),
                 lifetime == Lifetime::embedded),
      ledger_(settings.results.history),
      workers_(loop, spawner, slot_cpus, settings.workers.nice,
               {.has_room = [this] { dispatch(); },
                .lease_done = [this](const LeaseReport& report) { lease_done(report); },
                .extents_done = [this](const ExtentReport& report) { extents_done(report); },
                .cannot_run = [this](const CannotRunReport& report) { cannot_run(report); },
                .died = [this](WorkerSlot worker,
                               const std::vector<ExtentOrder>& extents) { worker_died(worker, extents); },
                .warm_extents = [this] { return warm_extents(); }}),
      movers_(loop, spawner,
              {.reported = [this](JobId job, const MoverReport& report) { mover_reported(job, report); },
               .died = [this](JobId job) { mover_died(job); },
               .hangs = [this](JobId job) { mover_hangs(job); }}),
      fetches_(movers_, [this](JobId job) { fetch_ended(job); }),
      memory_(space_, workers_, settings.volume.huge_pages), guest_memory_(guest_bytes_of(settings)),
      guests_(
          loop, slot_cpus,
          {.lease_done = [this](JobId job,
                                const TileScheduler::Returned& returned) { guest_lease_done(job, returned); },
           .died = [this](JobId job, const TileScheduler::Death& death) { guest_died(job, death); },
           .failed =
               [this](JobId job, const Error& error) {
                   end_early(*ledger_.find(job), JobOutcome::failed, error);
               }}),
      records_(volume.job_records(), volume.tile_bits()),
      journal_(spawner, std::move(journal_folder), journal, settings.results.history), tick_(loop),
      expiry_(loop), guest_expiry_(loop) {}

void JobConductor::start() {
    workers_.start();
    movers_.start();
    journal_.start();
    if (settings_.volume.populate == Populate::background) {
        memory_.populate_in_background();
    }
}

void JobConductor::answer_submit(Job& job) {
    const auto found = submit_answers_.find(job.id);
    if (found == submit_answers_.end() || job.unwritten_records > 0) {
        return;
    }
    const PendingAnswer pending = std::move(found->second);
    submit_answers_.erase(found);
    if (job.outcome == JobOutcome::refused) {
        pending.answer(std::unexpected(job.error));
        return;
    }
    Json answer{{"job", to_json(job)}};
    if (pending.resumed) {
        answer["resumed"] = *pending.resumed;
    }
    pending.answer(std::move(answer));
}

void JobConductor::arm_tick() {
    if (std::exchange(ticking_, true)) {
        return;
    }
    tick_.expires_after(tick_interval);
    tick_.async_wait([this](const boost::system::error_code& failure) {
        ticking_ = false;
        if (!failure) {
            tick();
        }
    });
}

// Runs while jobs are unfinished; an idle daemon does not wake up.
void JobConductor::tick() {
    workers_.enforce_deadline(settings_.workers.tile_deadline);
    const auto now = Clock::now();
    admit_waiting();
    std::vector<Job*> deserted;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state == JobState::ended || job->state == JobState::received ||
            job->state == JobState::interrupted) {
            continue;
        }
        if (job->client_awaited_until && now > *job->client_awaited_until) {
            deserted.push_back(job);
        }
        const std::pair progress(job->tiles_done +
                                     static_cast<std::int64_t>(job->state) * (std::int64_t{1} << 40),
                                 job->bytes_loaded + job->bytes_written);
        if (is_watched(id) && last_told_[id] != progress) {
            last_told_[id] = progress;
            on_job_event(to_json(*job));
        }
        answer_submit(*job);
    }
    for (Job* const job : deserted) {
        end_early(*job, JobOutcome::cancelled,
                  {ErrorKind::cancelled, fmt::format("job {} was cancelled", job->id),
                   "its client did not come back after the daemon's restart", ""});
    }
    look_for_space();
    if (!is_quiet()) {
        arm_tick();
    }
}

// What a fresh worker maps in before it says idle: everything when the pages are huge (one fault for 2 MiB), else the
// extents of jobs that run.
std::vector<ByteRange> JobConductor::warm_extents() const {
    const SpaceUse use = space_.use();
    if (use.populated == use.bytes && use.huge == use.bytes) {
        return {space_.everything()};
    }
    std::vector<ByteRange> runs;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state == JobState::running) {
            std::ranges::copy(job->holds.runs(), std::back_inserter(runs));
        }
    }
    return runs;
}

bool JobConductor::is_quiet() const {
    return unannounced_ == 0 && std::ranges::all_of(ledger_.unfinished(), [](const auto& entry) {
               return entry.second->state == JobState::interrupted && entry.second->unwritten_records == 0;
           });
}

void JobConductor::shut_down(std::function<void()> then) {
    when_quiet_ = std::move(then);
    // The volume goes, and with it the numbers of jobs that never were in the journal.
    if (journal_.is_there()) {
        ++unannounced_;
        journal_.append({{"record", "ids"}, {"next", ledger_.last_id() + 1}}, [this](JournalKeeper::Kept) {
            --unannounced_;
            if (is_quiet()) {
                boost::asio::post(loop_, when_quiet_);
            }
        });
    }
    std::vector<Job*> working;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state != JobState::ended && job->state != JobState::interrupted) {
            working.push_back(job);
        }
    }
    for (Job* const job : working) {
        const Error why{ErrorKind::interrupted, fmt::format("job {} was interrupted", job->id),
                        "the daemon was stopped",
                        job->durable ? fmt::format("When it is back: slab resume {}", job->id)
                                     : "Submit it again when the daemon is back."};
        if (job->durable && !job->ending && !job->request.output_is_sequential()) {
            job->ending = {JobOutcome::none, why, true};
        }
        end_early(*job, JobOutcome::failed, why);
    }
    if (is_quiet()) {
        boost::asio::post(loop_, when_quiet_);
    }
}

void JobConductor::stop_children() {
    tick_.cancel();
    expiry_.cancel();
    guest_expiry_.cancel();
    workers_.stop();
    movers_.stop();
    journal_.stop();
}

void JobConductor::settings_changed() {
    ledger_.set_history(settings_.results.history);
    journal_.set_history(settings_.results.history);
    arm_expiry();
}

}  // namespace slab::daemon
