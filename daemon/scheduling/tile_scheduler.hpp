#pragma once

#include "common/states/tile_state.hpp"
#include "daemon/scheduling/lease.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace slab::daemon {

// Who gets which tiles next: pure policy, no sockets, no clock, no processes.
//
// Workers' time is shared equally between users; within a user the lower `priority` goes first (as nice); jobs of one
// priority share equally, but one that has had less than head_start of worker time goes ahead: a small job does not
// wait behind an 80 GB one. Time is charged when a lease is given (estimated) and corrected when it comes back.
//
// After a worker's death the tiles of the lease it was working on are leased one by one, to find the guilty one; a
// tile that has cost most_deaths workers fails its job.
class TileScheduler {
  public:
    using Nanoseconds = std::chrono::nanoseconds;
    static constexpr int most_deaths = 3;
    static constexpr Nanoseconds lease_target = std::chrono::milliseconds(3);
    static constexpr Nanoseconds head_start = std::chrono::milliseconds(200);

    struct JobShare {
        JobId job = 0;
        std::uint32_t uid = 0;
        int priority = 0;
    };

    // The tiles 0..count-1 of one band become available, but for those that a former supervisor knows to be filled (a
    // bit each; empty: none). A job's next band is added when the last one is complete; its standing is kept in between.
    // Returns how many tiles wait.
    std::int64_t add_band(const JobShare& share, std::int64_t tile_count,
                          std::span<const std::uint64_t> filled = {});

    // No more leases of this job; those that are out still come back.
    void stop(JobId job);

    // Forgets a job of which no lease is out.
    void remove(JobId job);

    bool has_waiting_tiles() const;
    std::optional<Lease> next_lease(WorkerSlot worker, int worker_count);

    struct Returned {
        JobId job = 0;
        std::int64_t first = 0;
        std::int64_t newly_filled = 0;  // tiles [first, first + newly_filled)
        bool band_complete = false;
    };
    // The worker filled the first `filled` tiles of its lease (all, unless it was told to stop).
    Returned give_back(LeaseId lease, std::int64_t filled, Nanoseconds busy);

    struct Loss {
        JobId job = 0;
        std::int64_t tiles = 0;  // that will be leased again
    };
    struct Death {
        std::vector<Loss> losses;       // one for each job that had leases on the worker
        std::optional<JobId> poisoned;  // a tile of this job has cost most_deaths workers
        std::int64_t poison_tile = 0;
        JobId guilty_job = 0;  // whose lease the worker was working on; 0: none
    };
    Death worker_died(WorkerSlot worker);

    std::int64_t leases_out(JobId job) const;
    std::optional<Lease> oldest_lease(WorkerSlot worker) const;
    std::size_t leases_of(WorkerSlot worker) const;

  private:
    struct Run {
        std::int64_t first = 0;
        std::int64_t count = 0;
        bool suspect = false;  // leased one tile at a time
    };
    struct Job {
        JobShare share;
        std::uint64_t age = 0;  // smaller is older
        Nanoseconds served{0};
        Nanoseconds virtual_time{0};
        bool stopped = false;
        std::vector<TileState> tiles;
        std::int64_t next_fresh = 0;  // tiles from here on have never been leased
        std::deque<Run> again;
        std::int64_t waiting = 0;
        std::int64_t filled = 0;
        std::int64_t out = 0;         // leases
        double tile_nanoseconds = 0;  // moving average; 0: not known
        std::unordered_map<std::int64_t, int> deaths;
    };
    struct User {
        Nanoseconds virtual_time{0};
    };
    struct OutLease {
        Lease lease;
        Nanoseconds charged{0};
    };

    Job* choose_job();
    bool runnable(const Job& job) const { return !job.stopped && job.waiting > 0; }
    Run take_run(Job& job, int worker_count);
    static std::int64_t lease_size(const Job& job, int worker_count);
    void move_tiles(Job& job, std::int64_t first, std::int64_t count, TileState to);
    void charge(Job& job, Nanoseconds time);
    void return_tiles(Job& job, Run run);

    std::map<JobId, Job> jobs_;
    std::map<std::uint32_t, User> users_;
    std::map<WorkerSlot, std::deque<OutLease>> out_;
    LeaseId next_lease_ = 1;
    std::uint64_t next_age_ = 1;
};

}  // namespace slab::daemon
