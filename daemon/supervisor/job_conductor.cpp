#include "daemon/supervisor/job_conductor.hpp"

#include "common/units/byte_size.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(100);

}  // namespace

JobConductor::JobConductor(boost::asio::io_context& loop, Settings& settings, const VolumeSegment& volume,
                           ChildSpawner& spawner, const std::vector<int>& slot_cpus, Lifetime lifetime)
    : loop_(loop), settings_(settings), volume_(volume), lifetime_(lifetime),
      space_(volume.extents(), volume.data_offset(),
             [descriptor = volume.descriptor()](ByteRange range) { return locked_parts(descriptor, range); }),
      admission_(settings, space_.largest_possible(), lifetime == Lifetime::embedded),
      ledger_(settings.results.history),
      workers_(loop, spawner, slot_cpus, settings.workers.nice,
               {.has_room = [this] { dispatch(); },
                .lease_done = [this](const LeaseReport& report) { lease_done(report); },
                .extents_done = [this](const ExtentReport& report) { extents_done(report); },
                .died = [this](WorkerSlot worker,
                               const std::vector<ExtentOrder>& extents) { worker_died(worker, extents); },
                .warm_extents = [this] { return warm_extents(); }}),
      movers_(loop, spawner,
              {.reported = [this](JobId job, const MoverReport& report) { mover_reported(job, report); },
               .died = [this](JobId job) { mover_died(job); }}),
      memory_(space_, workers_, settings.volume.huge_pages), tick_(loop) {
    ledger_.on_move = [this](const Job& job) { job_changed(job); };
}

void JobConductor::start() {
    workers_.start();
    movers_.start();
    if (settings_.volume.populate == Populate::background) {
        memory_.populate_in_background();
    }
}

void JobConductor::answer_submit(Job& job) {
    const auto found = submit_answers_.find(job.id);
    if (found == submit_answers_.end()) {
        return;
    }
    const JobAnswer answer = std::move(found->second.answer);
    submit_answers_.erase(found);
    if (job.outcome == JobOutcome::refused) {
        answer(std::unexpected(job.error));
    } else {
        answer(Json{{"job", to_json(job)}});
    }
}

void JobConductor::job_changed(const Job& job) {
    if (job.state == JobState::ended && is_watched(job.id)) {
        on_job_event(to_json(job));  // what happens in between is told by the tick
    }
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
    for (auto& [id, deadline] : mover_deadlines_) {
        if (now > deadline) {
            spdlog::warn("job={} its mover does not answer (a file system that hangs?): killed", id);
            movers_.kill(id);
            deadline = Clock::time_point::max();
        }
    }
    admit_waiting();
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state == JobState::ended || job->state == JobState::received) {
            continue;
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
    look_for_space();
    if (!ledger_.unfinished().empty() || !mover_deadlines_.empty()) {
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

void JobConductor::shut_down(std::function<void()> then) {
    when_quiet_ = std::move(then);
    std::vector<Job*> unfinished;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state != JobState::ended) {
            unfinished.push_back(job);
        }
    }
    if (unfinished.empty()) {
        boost::asio::post(loop_, when_quiet_);
    }
    for (Job* const job : unfinished) {
        end_early(*job, JobOutcome::failed,
                  {ErrorKind::interrupted, fmt::format("job {} was interrupted", job->id),
                   "the daemon was stopped", "Submit it again when the daemon is back."});
    }
}

void JobConductor::stop_children() {
    tick_.cancel();
    workers_.stop();
    movers_.stop();
}

void JobConductor::settings_changed() {
    ledger_.set_history(settings_.results.history);
}

}  // namespace slab::daemon
