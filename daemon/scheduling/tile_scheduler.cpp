#include "daemon/scheduling/tile_scheduler.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace slab::daemon {

std::int64_t TileScheduler::add_band(const JobShare& share, std::int64_t tile_count,
                                     std::span<const std::uint64_t> filled) {
    const auto [place, is_new] = jobs_.try_emplace(share.job);
    Job& job = place->second;
    if (is_new) {
        job.share = share;
        job.age = next_age_++;
        // Newcomers start where the least served active job or user stands: they neither owe nor are owed the past.
        std::optional<Nanoseconds> least_job;
        std::optional<Nanoseconds> least_user;
        for (const auto& [id, other] : jobs_) {
            if (id == share.job || !runnable(other)) {
                continue;
            }
            const Nanoseconds user_time = users_[other.share.uid].virtual_time;
            least_user = std::min(least_user.value_or(user_time), user_time);
            if (other.share.uid == share.uid) {
                least_job = std::min(least_job.value_or(other.virtual_time), other.virtual_time);
            }
        }
        job.virtual_time = least_job.value_or(Nanoseconds{0});
        User& user = users_[share.uid];
        user.virtual_time = std::max(user.virtual_time, least_user.value_or(user.virtual_time));
    }
    job.tiles.assign(static_cast<std::size_t>(tile_count), TileState::waiting);
    job.next_fresh = 0;
    job.again.clear();
    job.waiting = tile_count;
    job.filled = 0;
    job.deaths.clear();
    if (filled.empty()) {
        return job.waiting;
    }
    job.next_fresh = tile_count;
    for (std::int64_t tile = 0; tile < tile_count; ++tile) {
        if ((filled[static_cast<std::size_t>(tile / 64)] >> (tile % 64) & 1) != 0) {
            job.tiles[static_cast<std::size_t>(tile)] = TileState::filled;
            --job.waiting;
            ++job.filled;
        } else if (!job.again.empty() && job.again.back().first + job.again.back().count == tile) {
            ++job.again.back().count;
        } else {
            job.again.push_back({tile, 1, false});
        }
    }
    return job.waiting;
}

void TileScheduler::stop(JobId job) {
    if (const auto found = jobs_.find(job); found != jobs_.end()) {
        found->second.stopped = true;
    }
}

void TileScheduler::remove(JobId job) {
    jobs_.erase(job);
    // Users without jobs are forgotten when nobody has any: times would otherwise grow for ever.
    if (jobs_.empty()) {
        users_.clear();
    }
}

bool TileScheduler::has_waiting_tiles() const {
    return std::ranges::any_of(jobs_, [this](const auto& entry) { return runnable(entry.second); });
}

TileScheduler::Job* TileScheduler::choose_job() {
    Job* best = nullptr;
    const auto rank = [this](const Job& job) {
        return std::tuple(users_[job.share.uid].virtual_time, job.share.uid, job.share.priority,
                          job.served < head_start ? 0 : 1, job.virtual_time, job.age);
    };
    for (auto& [id, job] : jobs_) {
        if (runnable(job) && (best == nullptr || rank(job) < rank(*best))) {
            best = &job;
        }
    }
    return best;
}

std::int64_t TileScheduler::lease_size(const Job& job, int worker_count) {
    if (job.tile_nanoseconds <= 0) {
        return 1;
    }
    const auto count =
        static_cast<std::int64_t>(static_cast<double>(lease_target.count()) / job.tile_nanoseconds);
    // Towards the end leases shrink, so that all workers finish together.
    return std::max<std::int64_t>(
        1, std::min(count, job.waiting / (2 * static_cast<std::int64_t>(worker_count))));
}

TileScheduler::Run TileScheduler::take_run(Job& job, int worker_count) {
    const std::int64_t count = lease_size(job, worker_count);
    if (!job.again.empty()) {
        Run& run = job.again.front();
        const Run taken{run.first, run.suspect ? 1 : std::min(count, run.count), run.suspect};
        run.first += taken.count;
        run.count -= taken.count;
        if (run.count == 0) {
            job.again.pop_front();
        }
        return taken;
    }
    const auto fresh = static_cast<std::int64_t>(job.tiles.size()) - job.next_fresh;
    const Run taken{job.next_fresh, std::min(count, fresh), false};
    job.next_fresh += taken.count;
    return taken;
}

void TileScheduler::move_tiles(Job& job, std::int64_t first, std::int64_t count, TileState to) {
    for (std::int64_t tile = first; tile < first + count; ++tile) {
        TileState& state = job.tiles[static_cast<std::size_t>(tile)];
        if (!may_move(state, to)) {
            std::abort();  // our bookkeeping is wrong: two workers might write one tile. Stop before they do.
        }
        job.waiting += to == TileState::waiting ? 1 : 0;
        job.waiting -= state == TileState::waiting ? 1 : 0;
        job.filled += to == TileState::filled ? 1 : 0;
        state = to;
    }
}

void TileScheduler::charge(Job& job, Nanoseconds time) {
    job.served += time;
    job.virtual_time += time;
    users_[job.share.uid].virtual_time += time;
}

std::optional<Lease> TileScheduler::next_lease(WorkerSlot worker, int worker_count) {
    Job* const job = choose_job();
    if (job == nullptr) {
        return std::nullopt;
    }
    const Run run = take_run(*job, worker_count);
    move_tiles(*job, run.first, run.count, TileState::leased);
    const Lease lease{next_lease_++, job->share.job, run.first, run.count, worker};
    const Nanoseconds estimate{
        static_cast<std::int64_t>(job->tile_nanoseconds * static_cast<double>(run.count))};
    charge(*job, estimate);
    job->out += 1;
    out_[worker].push_back({lease, estimate});
    return lease;
}

TileScheduler::Returned TileScheduler::give_back(LeaseId id, std::int64_t filled, Nanoseconds busy) {
    for (auto& [worker, leases] : out_) {
        const auto found = std::ranges::find(leases, id, [](const OutLease& out) { return out.lease.id; });
        if (found == leases.end()) {
            continue;
        }
        const OutLease out = *found;
        leases.erase(found);
        Job& job = jobs_.at(out.lease.job);
        job.out -= 1;
        charge(job, busy - out.charged);
        if (filled > 0) {
            const double measured = static_cast<double>(busy.count()) / static_cast<double>(filled);
            job.tile_nanoseconds = job.tile_nanoseconds == 0 ? std::max(measured, 1.0)
                                                             : 0.7 * job.tile_nanoseconds + 0.3 * measured;
        }
        move_tiles(job, out.lease.first, filled, TileState::filled);
        if (filled < out.lease.count) {
            return_tiles(job, {out.lease.first + filled, out.lease.count - filled, false});
        }
        return {out.lease.job, out.lease.first, filled,
                job.filled == static_cast<std::int64_t>(job.tiles.size())};
    }
    return {};
}

void TileScheduler::return_tiles(Job& job, Run run) {
    move_tiles(job, run.first, run.count, TileState::waiting);
    job.again.push_back(run);
}

TileScheduler::Death TileScheduler::worker_died(WorkerSlot worker) {
    Death death;
    std::deque<OutLease> lost;
    lost.swap(out_[worker]);
    bool was_working_on_it = true;  // leases are worked off in order: only the first can be guilty
    for (const OutLease& out : lost) {
        Job& job = jobs_.at(out.lease.job);
        job.out -= 1;
        charge(job, -out.charged);
        if (was_working_on_it) {
            death.guilty_job = out.lease.job;
            for (std::int64_t tile = out.lease.first; tile < out.lease.first + out.lease.count; ++tile) {
                // Innocent tiles of the run are counted too; they are filled when they are leased alone.
                if (++job.deaths[tile] >= most_deaths) {
                    death.poisoned = out.lease.job;
                    death.poison_tile = tile;
                }
            }
        }
        return_tiles(job, {out.lease.first, out.lease.count, was_working_on_it});
        const auto loss = std::ranges::find(death.losses, out.lease.job, &Loss::job);
        if (loss == death.losses.end()) {
            death.losses.push_back({out.lease.job, out.lease.count});
        } else {
            loss->tiles += out.lease.count;
        }
        was_working_on_it = false;
    }
    return death;
}

std::int64_t TileScheduler::leases_out(JobId job) const {
    const auto found = jobs_.find(job);
    return found == jobs_.end() ? 0 : found->second.out;
}

std::optional<Lease> TileScheduler::oldest_lease(WorkerSlot worker) const {
    const auto found = out_.find(worker);
    return found == out_.end() || found->second.empty() ? std::nullopt
                                                        : std::optional<Lease>(found->second.front().lease);
}

std::size_t TileScheduler::leases_of(WorkerSlot worker) const {
    const auto found = out_.find(worker);
    return found == out_.end() ? 0 : found->second.size();
}

}  // namespace slab::daemon
