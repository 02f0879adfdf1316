#include "daemon/supervisor/worker_pool.hpp"

#include "daemon/process/plain_record.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace slab::daemon {

WorkerPool::WorkerPool(boost::asio::io_context& loop, ChildSpawner& spawner,
                       const std::vector<int>& slot_cpus, int nice, Events events)
    : loop_(loop), spawner_(spawner), nice_(nice), events_(std::move(events)), slots_(slot_cpus.size()) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        slots_[i].cpu = slot_cpus[i];
    }
}

void WorkerPool::start() {
    for (WorkerSlot slot = 0; slot < size(); ++slot) {
        spawn(slot);
    }
}

void WorkerPool::stop() {
    stopping_ = true;
    for (Slot& slot : slots_) {
        slot.restart_timer.reset();
        if (slot.child) {
            slot.child->channel().close();
            slot.child->kill();
        }
    }
}

void WorkerPool::spawn(WorkerSlot slot) {
    Slot& worker = slots_[index(slot)];
    ForkOrder order{.kind = ChildKind::worker, .slot = slot, .cpu = worker.cpu, .nice = nice_};
    for (const ByteRange& run : events_.warm_extents()) {
        if (order.warm_count < ForkOrder::most_warm) {
            order.warm[order.warm_count++] = run;
        }
    }
    ++worker.restarts;
    move(slot, WorkerState::starting);
    worker.child = spawner_.spawn(order);
    if (!worker.child) {
        died(slot, "no socket");
        return;
    }
    worker.child->start([this, slot](Packet&& packet) { reported(slot, packet.bytes); },
                        [this, slot](const std::string& how) { died(slot, how); });
}

void WorkerPool::move(WorkerSlot slot, WorkerState to) {
    WorkerState& state = slots_[index(slot)].state;
    if (!may_move(state, to)) {
        spdlog::critical("worker={} may not move {} -> {}", slot, name_of(state), name_of(to));
        std::abort();
    }
    spdlog::trace("worker={} {} -> {}", slot, name_of(state), name_of(to));
    state = to;
}

void WorkerPool::reported(WorkerSlot slot, std::string_view report) {
    Slot& worker = slots_[index(slot)];
    switch (record_of<IdleReport>(report).kind) {
    case ReportKind::idle:
        if (worker.state == WorkerState::starting) {
            worker.deaths_before_idle = 0;
            move(slot, WorkerState::idle);
            spdlog::debug("worker={} cpu={} pid={} starting -> idle", slot, worker.cpu, worker.child->pid());
            events_.has_room();
        }
        break;
    case ReportKind::lease_done:
        ++worker.leases_done;
        order_finished(slot);
        events_.lease_done(record_of<LeaseReport>(report));
        break;
    case ReportKind::cannot_run: events_.cannot_run(record_of<CannotRunReport>(report)); break;
    case ReportKind::populated:
    case ReportKind::gave_up_memory:
        order_finished(slot);
        events_.extents_done(record_of<ExtentReport>(report));
        break;
    }
}

void WorkerPool::order_finished(WorkerSlot slot) {
    Slot& worker = slots_[index(slot)];
    worker.orders.pop_front();
    worker.current_since = Clock::now();
    if (worker.orders.empty() && worker.state == WorkerState::busy) {
        move(slot, WorkerState::idle);
        if (worker.is_leaving) {
            leave(slot);
        }
    }
}

void WorkerPool::leave(WorkerSlot slot) {
    move(slot, WorkerState::killed);
    slots_[index(slot)].child->kill();
}

void WorkerPool::replace_plugin_workers() {
    for (WorkerSlot slot = 0; slot < size(); ++slot) {
        Slot& worker = slots_[index(slot)];
        if (worker.has_plugin_code && !worker.is_leaving) {
            worker.is_leaving = true;
            if (worker.state == WorkerState::idle) {
                leave(slot);
            }
        }
    }
}

bool WorkerPool::has_plugin_workers() const {
    return std::ranges::any_of(slots_, [](const Slot& slot) { return slot.has_plugin_code; });
}

void WorkerPool::add_order(WorkerSlot slot, Outstanding order) {
    Slot& worker = slots_[index(slot)];
    if (worker.orders.empty()) {
        worker.current_since = Clock::now();
    }
    worker.orders.push_back(order);
    if (worker.state == WorkerState::idle) {
        move(slot, WorkerState::busy);
    }
}

void WorkerPool::died(WorkerSlot slot, const std::string& how) {
    Slot& worker = slots_[index(slot)];
    const pid_t pid = worker.child ? worker.child->pid() : -1;
    const bool never_idle = worker.state == WorkerState::starting;
    move(slot, WorkerState::dead);
    worker.child.reset();
    worker.bound.clear();
    worker.has_plugin_code = false;
    const bool was_to_leave = std::exchange(worker.is_leaving, false) && worker.orders.empty();
    if (stopping_) {
        return;
    }
    if (was_to_leave) {
        spdlog::debug("worker={} cpu={} pid={} replaced: it had run a plug-in", slot, worker.cpu, pid);
        spawn(slot);
        return;
    }
    std::vector<ExtentOrder> extents;
    for (const Outstanding& order : worker.orders) {
        if (order.lease == 0) {
            extents.push_back(order.extents);
        }
    }
    spdlog::warn("worker={} cpu={} pid={} died: {} orders_lost={}", slot, worker.cpu, pid, how,
                 worker.orders.size());
    worker.orders.clear();
    // One that cannot even start is not forked in a tight loop.
    constexpr int soon_enough = 3;
    worker.deaths_before_idle = never_idle ? worker.deaths_before_idle + 1 : 0;
    if (worker.deaths_before_idle < soon_enough) {
        spawn(slot);
    } else {
        spdlog::error("worker={} died {} times before it was idle: next try in 1 s", slot,
                      worker.deaths_before_idle);
        worker.restart_timer = std::make_unique<boost::asio::steady_timer>(loop_, std::chrono::seconds(1));
        worker.restart_timer->async_wait([this, slot](const boost::system::error_code& failure) {
            if (!failure && !stopping_) {
                spawn(slot);
            }
        });
    }
    events_.died(slot, extents);
}

WorkerSlot WorkerPool::with_room() const {
    WorkerSlot best = -1;
    for (WorkerSlot slot = 0; slot < size(); ++slot) {
        const Slot& worker = slots_[index(slot)];
        const bool alive = worker.state == WorkerState::idle || worker.state == WorkerState::busy;
        if (alive && !worker.is_leaving && worker.orders.size() < most_outstanding &&
            (best < 0 || worker.orders.size() < slots_[index(best)].orders.size())) {
            best = slot;
        }
    }
    return best;
}

WorkerSlot WorkerPool::without_orders() const {
    const WorkerSlot slot = with_room();
    return slot >= 0 && slots_[index(slot)].orders.empty() ? slot : -1;
}

void WorkerPool::bind(WorkerSlot slot, const BindOrder& order, CodeOrigin origin) {
    slots_[index(slot)].bound.insert(order.job);
    slots_[index(slot)].has_plugin_code |= origin == CodeOrigin::plugin;
    slots_[index(slot)].child->channel().send_plain(bytes_of(order));
}

void WorkerPool::lease(WorkerSlot slot, const Lease& lease) {
    const LeaseOrder order{.lease = lease.id, .job = lease.job, .first = lease.first, .count = lease.count};
    add_order(slot, {lease.id, {}});
    spdlog::trace("worker={} job={} lease={} tiles={}+{}", slot, lease.job, lease.id, lease.first,
                  lease.count);
    slots_[index(slot)].child->channel().send_plain(bytes_of(order));
}

void WorkerPool::order_extents(WorkerSlot slot, const ExtentOrder& order) {
    add_order(slot, {0, order});
    slots_[index(slot)].child->channel().send_plain(bytes_of(order));
}

void WorkerPool::stop_job(JobId job) {
    for (Slot& worker : slots_) {
        if (worker.child && worker.bound.contains(job)) {
            worker.child->channel().send_plain(bytes_of(JobOrder{OrderKind::stop_job, job}));
        }
    }
}

void WorkerPool::forget_job(JobId job) {
    for (Slot& worker : slots_) {
        if (worker.child && worker.bound.erase(job) > 0) {
            worker.child->channel().send_plain(bytes_of(JobOrder{OrderKind::forget, job}));
        }
    }
}

void WorkerPool::enforce_deadline(std::chrono::milliseconds deadline) {
    for (WorkerSlot slot = 0; slot < size(); ++slot) {
        Slot& worker = slots_[index(slot)];
        if (worker.state == WorkerState::busy && Clock::now() - worker.current_since > deadline) {
            spdlog::warn("worker={} cpu={} pid={} has worked on one order for more than {} ms: killed", slot,
                         worker.cpu, worker.child->pid(), deadline.count());
            move(slot, WorkerState::killed);
            worker.child->kill();
        }
    }
}

std::vector<WorkerView> WorkerPool::view() const {
    std::vector<WorkerView> views;
    for (WorkerSlot slot = 0; slot < size(); ++slot) {
        const Slot& worker = slots_[index(slot)];
        views.push_back({slot, worker.cpu, worker.child ? worker.child->pid() : -1, worker.state,
                         worker.restarts, worker.leases_done});
    }
    return views;
}

}  // namespace slab::daemon
