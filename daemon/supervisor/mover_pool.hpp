#pragma once

#include "daemon/mover/mover_messages.hpp"
#include "daemon/supervisor/child_process.hpp"
#include "daemon/supervisor/ring_watch.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slab::daemon {

// The movers: one for each job that has files to move now, at least one spare, ready for the next. A mover that ended
// a job cleanly serves another.
class MoverPool {
  public:
    // Told on the loop; `ticket` is the one that take() gave.
    struct Events {
        std::function<void(JobId, const MoverReport&)> reported;
        std::function<void(JobId)> died;
        // It was told to cancel, then killed, and still it or a request of it is there: on a hung mount neither ends by
        // a signal.
        std::function<void(JobId)> hangs;
    };

    MoverPool(boost::asio::io_context& loop, ChildSpawner& spawner, Events events);

    void start();
    void stop();

    // A mover serves this job from now on; orders sent before it is ready wait in its socket.
    void take(JobId job);
    bool serves(JobId job) const { return by_job_.contains(job); }
    void order(JobId job, const MoverOrder& order, std::string_view header = {},
               const std::vector<UniqueDescriptor>& files = {});

    // The job needs it no more: it becomes a spare.
    void finish(JobId job);

    // It reports `cancelled` when it has stopped; if it does not in time it is killed, and died() or hangs() follows.
    void cancel(JobId job);

    // For one that hangs. The job goes on without it and is told nothing of it any more; when_drained()
    // waits for its death, since until then it may touch the volume.
    void abandon(JobId job);

    // Calls `then` once no dead mover of this job has requests under way: at once if there is none.
    void when_drained(JobId job, std::function<void()> then);

    struct View {
        pid_t pid = -1;
        JobId job = 0;
    };
    std::vector<View> view() const;

  private:
    using Clock = std::chrono::steady_clock;
    struct Mover {
        std::shared_ptr<ChildProcess> child;
        RingPlaces ring_places;
        RingWatch ring;
        JobId job = 0;                                               // 0: a spare
        std::optional<Clock::time_point> answer_due = std::nullopt;  // it was told to cancel, or killed
        bool is_killed = false;
        bool is_abandoned = false;
    };
    struct Draining {
        JobId job = 0;
        RingWatch ring;
        std::optional<Clock::time_point> answer_due = std::nullopt;
    };

    std::list<Mover>::iterator spawn();
    void reported(std::list<Mover>::iterator mover, Packet&& packet);
    void died(std::list<Mover>::iterator mover, const std::string& how);
    static bool watch_ring(Mover& mover);
    void keep_a_spare();
    void arm_deadline();
    void enforce_deadlines();
    void poll_draining();

    boost::asio::io_context& loop_;
    ChildSpawner& spawner_;
    Events events_;
    std::list<Mover> movers_;
    std::map<JobId, std::list<Mover>::iterator> by_job_;
    std::list<Draining> draining_;
    std::multimap<JobId, std::function<void()>> waiting_;
    boost::asio::steady_timer drain_timer_;
    boost::asio::steady_timer deadline_timer_;
    int quick_deaths_ = 0;
    bool stopping_ = false;
};

// Of one that tells of a failure.
Error error_of(const MoverReport& report);

}  // namespace slab::daemon
