#pragma once

#include "common/states/worker_state.hpp"
#include "daemon/scheduling/lease.hpp"
#include "daemon/supervisor/child_process.hpp"
#include "daemon/worker/worker_messages.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace slab::daemon {

// A worker as others see it (`slab status`).
struct WorkerView {
    WorkerSlot slot = 0;
    int cpu = 0;
    pid_t pid = -1;
    WorkerState state = WorkerState::starting;
    int restarts = 0;
    std::int64_t leases_done = 0;
};

// The pinned workers: keeps one alive on each slot's CPU, passes orders on, and never more than two at a time to
// each, so that none waits and a cancel or a small job is never far behind.
class WorkerPool {
  public:
    static constexpr std::size_t most_outstanding = 2;

    // Told on the loop. A death is told after the worker's last reports; `extents` are the memory orders that it
    // took with it.
    struct Events {
        std::function<void()> has_room;
        std::function<void(const LeaseReport&)> lease_done;
        std::function<void(const ExtentReport&)> extents_done;
        std::function<void(const CannotRunReport&)> cannot_run;
        std::function<void(WorkerSlot, const std::vector<ExtentOrder>& extents)> died;
        std::function<std::vector<ByteRange>()> warm_extents;  // for a fresh worker to map in
    };

    WorkerPool(boost::asio::io_context& loop, ChildSpawner& spawner, const std::vector<int>& slot_cpus,
               int nice, Events events);

    void start();
    void stop();

    int size() const { return static_cast<int>(slots_.size()); }
    std::vector<WorkerView> view() const;

    // The worker with the fewest orders among those that can take one more; negative: none can.
    WorkerSlot with_room() const;
    // One that has nothing at all to do; negative: none.
    WorkerSlot without_orders() const;

    bool knows(WorkerSlot slot, JobId job) const { return slots_[index(slot)].bound.contains(job); }
    // CodeOrigin::plugin: the worker loads foreign code for it, which may leave something behind in the process.
    enum class CodeOrigin : std::uint8_t { built_in, plugin };
    void bind(WorkerSlot slot, const BindOrder& order, CodeOrigin origin);
    void lease(WorkerSlot slot, const Lease& lease);
    void order_extents(WorkerSlot slot, const ExtentOrder& order);
    void stop_job(JobId job);
    void forget_job(JobId job);

    // Those that have run code of plug-ins get no new orders, and are replaced as soon as they have none.
    void replace_plugin_workers();
    bool has_plugin_workers() const;

    // Kills workers whose current order is older than that.
    void enforce_deadline(std::chrono::milliseconds deadline);

  private:
    using Clock = std::chrono::steady_clock;
    struct Outstanding {
        LeaseId lease = 0;  // 0: a memory order
        ExtentOrder extents;
    };
    struct Slot {
        int cpu = 0;
        WorkerState state = WorkerState::dead;
        std::shared_ptr<ChildProcess> child;
        std::set<JobId> bound;
        std::deque<Outstanding> orders;
        bool has_plugin_code = false;
        bool is_leaving = false;          // it is replaced when it has no orders
        Clock::time_point current_since;  // when the order at the front became the one being worked on
        int restarts = -1;                // the first start is none
        int deaths_before_idle = 0;
        std::int64_t leases_done = 0;
        std::unique_ptr<boost::asio::steady_timer> restart_timer;
    };

    static std::size_t index(WorkerSlot slot) { return static_cast<std::size_t>(slot); }
    void spawn(WorkerSlot slot);
    void move(WorkerSlot slot, WorkerState to);
    void reported(WorkerSlot slot, std::string_view report);
    void order_finished(WorkerSlot slot);
    void leave(WorkerSlot slot);
    void add_order(WorkerSlot slot, Outstanding order);
    void died(WorkerSlot slot, const std::string& how);

    boost::asio::io_context& loop_;
    ChildSpawner& spawner_;
    int nice_;
    Events events_;
    std::vector<Slot> slots_;
    bool stopping_ = false;
};

}  // namespace slab::daemon
