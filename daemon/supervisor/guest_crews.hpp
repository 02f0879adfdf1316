#pragma once

#include "daemon/admission/job.hpp"
#include "daemon/channel/packet_channel.hpp"
#include "daemon/scheduling/tile_scheduler.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace slab::daemon {

// Where a band's tiles lie: which part of the output they cut, and where in the segment that part begins.
struct GuestBand {
    std::int64_t number = 0;
    TileGrid tiles;
    std::int64_t place = 0;
};

// The guests of all jobs: processes that a client starts, each at the other end of a socket that was made for it here.
// Whoever has the socket may lease tiles of its job and nothing else, so it needs no name and no password; it is given
// to the job's user only.
//
//   guest -> "ready"         -> two leases, so that it never waits
//   guest -> "done": LEASE   -> the next one
//   guest -> "failed": LEASE    its function raised: the job fails with what it says
//   the socket's end            it is dead, or was let go: its leases are given to others
//
// What a guest says is trusted as far as its own job: a lie costs its own user a wrong result.
class GuestCrews {
  public:
    static constexpr std::size_t most_outstanding = 2;
    static constexpr std::size_t most_guests = 256;  // of a job

    // Told on the loop.
    struct Events {
        std::function<void(JobId, const TileScheduler::Returned&)> lease_done;
        std::function<void(JobId, const TileScheduler::Death&)> died;
        std::function<void(JobId, const Error&)> failed;
    };

    GuestCrews(boost::asio::io_context& loop, std::vector<int> cpus, Events events);

    // The guest's end of a new socket, and the CPU with the fewest guests.
    struct Hired {
        UniqueDescriptor socket;
        int cpu = 0;
    };
    Expected<Hired> hire(JobId job);

    void add_band(const TileScheduler::JobShare& share, const GuestBand& band);

    // The job has ended: its guests' sockets are closed, and what they still write is nobody's concern.
    void dismiss(JobId job);

    std::int64_t guests_of(JobId job) const;
    std::int64_t guest_count() const;

  private:
    using Clock = std::chrono::steady_clock;
    struct Guest {
        std::shared_ptr<PacketChannel> channel;
        int cpu = 0;
        bool is_ready = false;
        std::vector<Lease> leases;        // in the order in which it works on them
        Clock::time_point working_since;  // on the first
    };
    struct Crew {
        TileScheduler tiles;
        GuestBand band;
        std::map<WorkerSlot, Guest> guests;
    };

    void received(JobId job, WorkerSlot slot, Packet&& packet);
    void lease_done(JobId job, WorkerSlot slot);
    void deal(JobId job);
    void left(JobId job, WorkerSlot slot);
    int idlest_cpu() const;

    boost::asio::io_context& loop_;
    std::vector<int> cpus_;
    Events events_;
    std::map<JobId, Crew> crews_;
    WorkerSlot next_slot_ = 0;
};

}  // namespace slab::daemon
