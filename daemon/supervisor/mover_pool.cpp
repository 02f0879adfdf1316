#include "daemon/supervisor/mover_pool.hpp"

#include "daemon/process/plain_record.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

constexpr std::size_t most_spares = 4;
// With one that was told to cancel, then with one that was killed.
constexpr auto mover_patience = std::chrono::seconds(2);

}  // namespace

MoverPool::MoverPool(boost::asio::io_context& loop, ChildSpawner& spawner, Events events)
    : loop_(loop), spawner_(spawner), events_(std::move(events)), drain_timer_(loop), deadline_timer_(loop) {}

void MoverPool::start() {
    keep_a_spare();
}

void MoverPool::stop() {
    stopping_ = true;
    drain_timer_.cancel();
    deadline_timer_.cancel();
    for (Mover& mover : movers_) {
        mover.child->channel().close();
        mover.child->kill();
    }
}

std::list<MoverPool::Mover>::iterator MoverPool::spawn() {
    std::shared_ptr<ChildProcess> child = spawner_.spawn({.kind = ChildKind::mover});
    if (!child) {
        return movers_.end();
    }
    const auto mover = movers_.insert(movers_.end(), Mover{child, {}, {}});
    child->start([this, mover](Packet&& packet) { reported(mover, std::move(packet)); },
                 [this, mover](const std::string& how) { died(mover, how); });
    return mover;
}

void MoverPool::keep_a_spare() {
    const auto spares = static_cast<std::size_t>(std::ranges::count(movers_, JobId{0}, &Mover::job));
    if (spares == 0 && !stopping_) {
        spawn();
    }
    // A burst of jobs leaves movers behind: they go when there are more than a few.
    std::size_t surplus = spares > most_spares ? spares - most_spares : 0;
    for (Mover& mover : movers_) {
        if (surplus > 0 && mover.job == 0) {
            mover.child->channel().close();  // it exits at its socket's end
            --surplus;
        }
    }
}

void MoverPool::take(JobId job) {
    const auto is_spare = [](const Mover& mover) {
        return mover.job == 0 && mover.child->channel().is_open();
    };
    auto mover = std::ranges::find_if(movers_, is_spare);
    if (mover == movers_.end()) {
        mover = spawn();
    }
    if (mover == movers_.end()) {
        boost::asio::post(loop_, [this, job] { events_.died(job); });
        return;
    }
    mover->job = job;
    by_job_[job] = mover;
    // The next spare is forked when this turn of the loop is over: the job's own messages go first.
    boost::asio::post(loop_, [this] { keep_a_spare(); });
}

void MoverPool::order(JobId job, const MoverOrder& order, std::string_view header,
                      const std::vector<UniqueDescriptor>& files) {
    const auto found = by_job_.find(job);
    if (found == by_job_.end()) {
        return;
    }
    MoverOrder complete = order;
    complete.job = job;
    complete.may_use_ring = watch_ring(*found->second) ? 1 : 0;
    complete.header_bytes = static_cast<std::uint32_t>(header.size());
    std::string bytes(bytes_of(complete));
    bytes += header;
    std::vector<int> descriptors;
    for (const UniqueDescriptor& file : files) {
        descriptors.push_back(file.get());
    }
    found->second->child->channel().send_plain(bytes, descriptors);
}

// Late, when an order wants it: the mover's first words may come before the zygote has said which process it is.
bool MoverPool::watch_ring(Mover& mover) {
    if (!mover.ring.is_watching() && mover.ring_places.descriptor >= 0 && mover.child->pidfd() >= 0) {
        mover.ring = RingWatch(mover.child->pidfd(), mover.ring_places);
        if (!mover.ring.is_watching()) {
            spdlog::warn("mover pid={} its io_uring cannot be watched: it uses pread and pwrite",
                         mover.child->pid());
            mover.ring_places = {};
        }
    }
    return mover.ring.is_watching();
}

void MoverPool::finish(JobId job) {
    const auto found = by_job_.find(job);
    if (found == by_job_.end()) {
        return;
    }
    order(job, {.kind = MoverOrderKind::finish});
    found->second->job = 0;
    found->second->answer_due.reset();
    by_job_.erase(found);
    keep_a_spare();
}

void MoverPool::cancel(JobId job) {
    const auto found = by_job_.find(job);
    if (found == by_job_.end()) {
        return;
    }
    order(job, {.kind = MoverOrderKind::cancel});
    found->second->answer_due = Clock::now() + mover_patience;
    arm_deadline();
}

void MoverPool::abandon(JobId job) {
    if (const auto found = by_job_.find(job); found != by_job_.end()) {
        found->second->is_abandoned = true;
        by_job_.erase(found);
    }
}

void MoverPool::arm_deadline() {
    std::optional<Clock::time_point> next;
    const auto consider = [&next](const auto& entry) {
        if (entry.answer_due) {
            next = std::min(next.value_or(*entry.answer_due), *entry.answer_due);
        }
    };
    std::ranges::for_each(movers_, consider);
    std::ranges::for_each(draining_, consider);
    if (!next || stopping_) {
        return;
    }
    deadline_timer_.expires_at(*next);
    deadline_timer_.async_wait([this](const boost::system::error_code& failure) {
        if (!failure) {
            enforce_deadlines();
        }
    });
}

void MoverPool::enforce_deadlines() {
    const auto now = Clock::now();
    std::vector<JobId> hang;
    for (Mover& mover : movers_) {
        if (!mover.answer_due || *mover.answer_due > now) {
            continue;
        }
        if (mover.is_killed) {
            mover.answer_due.reset();
            hang.push_back(mover.job);
        } else {
            spdlog::warn("job={} its mover does not answer (a file system that hangs?): killed", mover.job);
            mover.child->kill();
            mover.is_killed = true;
            mover.answer_due = now + mover_patience;
        }
    }
    for (Draining& dead : draining_) {
        if (dead.answer_due && *dead.answer_due <= now) {
            dead.answer_due.reset();
            hang.push_back(dead.job);
        }
    }
    arm_deadline();
    for (const JobId job : hang) {
        events_.hangs(job);
    }
}

void MoverPool::reported(std::list<Mover>::iterator mover, Packet&& packet) {
    const auto report = record_of<MoverReport>(packet.bytes);
    quick_deaths_ = 0;
    if (report.kind == MoverReportKind::ready) {
        mover->ring_places = report.ring;
        return;
    }
    if (report.job == mover->job && mover->job != 0 && !mover->is_abandoned) {
        if (report.kind == MoverReportKind::cancelled) {
            mover->answer_due.reset();
        }
        events_.reported(report.job, report);
    }
}

void MoverPool::died(std::list<Mover>::iterator mover, const std::string& how) {
    const JobId job = mover->job;
    const pid_t pid = mover->child->pid();
    const bool is_abandoned = mover->is_abandoned;
    if (job != 0 && !is_abandoned) {
        by_job_.erase(job);
    }
    if (!stopping_ && job != 0) {
        spdlog::warn("mover pid={} job={} died: {}", pid, job, how);
        draining_.push_back({job, std::move(mover->ring), mover->answer_due});
    }
    movers_.erase(mover);
    if (stopping_) {
        return;
    }
    constexpr int too_many = 10;
    if (++quick_deaths_ < too_many) {
        keep_a_spare();
    }
    if (job != 0) {
        if (!is_abandoned) {
            events_.died(job);
        }
        poll_draining();
    }
}

void MoverPool::when_drained(JobId job, std::function<void()> then) {
    waiting_.emplace(job, std::move(then));
    poll_draining();
}

void MoverPool::poll_draining() {
    std::erase_if(draining_, [](const Draining& entry) { return entry.ring.drained(); });
    std::vector<std::function<void()>> ready;
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
        const JobId job = entry->first;
        const bool still =
            std::ranges::find(draining_, job, &Draining::job) != draining_.end() ||
            std::ranges::any_of(movers_, [job](const Mover& m) { return m.is_abandoned && m.job == job; });
        if (still) {
            ++entry;
        } else {
            ready.push_back(std::move(entry->second));
            entry = waiting_.erase(entry);
        }
    }
    if (!draining_.empty()) {
        drain_timer_.expires_after(std::chrono::milliseconds(2));
        drain_timer_.async_wait([this](const boost::system::error_code& failure) {
            if (!failure) {
                poll_draining();
            }
        });
    }
    for (const auto& then : ready) {
        then();
    }
}

std::vector<MoverPool::View> MoverPool::view() const {
    std::vector<View> views;
    for (const Mover& mover : movers_) {
        views.push_back({mover.child->pid(), mover.job});
    }
    return views;
}

Error error_of(const MoverReport& report) {
    return {static_cast<ErrorKind>(report.error_kind), report.what.data(), report.because.data(),
            report.remedy.data()};
}

}  // namespace slab::daemon
