#include "daemon/worker/worker_main.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/protocol/packet.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/process/plain_record.hpp"
#include "daemon/worker/extent_memory.hpp"
#include "daemon/worker/tile_run.hpp"
#include "daemon/worker/worker_messages.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <poll.h>
#include <set>
#include <sys/socket.h>

namespace slab::daemon {
namespace {

using Clock = std::chrono::steady_clock;

// A wake-up through the scheduler costs 50 us, an answer found while spinning 6 to 17.
constexpr auto spin_time = std::chrono::microseconds(20);

class Worker {
  public:
    Worker(const VolumeSegment& volume, int socket)
        : volume_(volume), socket_(socket),
          scratch_(static_cast<std::byte*>(::operator new (kernels::scratch_bytes, std::align_val_t{64}))) {}
    ~Worker() { ::operator delete (scratch_, std::align_val_t{64}); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void serve(const std::vector<ByteRange>& warm) {
        for (const ByteRange& run : warm) {
            map_extents(volume_.data() + run.begin, static_cast<std::size_t>(run.end - run.begin));
        }
        pause_point("worker-before-idle");
        report(IdleReport{});
        while (!closed_) {
            if (orders_.empty()) {
                wait_for_orders();
                continue;
            }
            const std::string order = std::move(orders_.front());
            orders_.pop_front();
            carry_out(order);
        }
    }

  private:
    template <typename Record>
    void report(const Record& record) {
        if (send_packet(socket_, bytes_of(record)) != Transfer::moved) {
            closed_ = true;
        }
    }

    // Takes what has arrived without waiting. A stop takes effect here, ahead of the leases that wait in the queue.
    bool take_orders() {
        Packet packet;
        bool any = false;
        for (;;) {
            const ssize_t waiting = ::recv(socket_, nullptr, 0, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);
            if (waiting < 0) {
                return any;
            }
            if (receive_packet(socket_, packet) != Transfer::moved) {
                closed_ = true;
                return any;
            }
            any = true;
            if (kind_of(packet.bytes) == OrderKind::stop_job) {
                stopped_.insert(record_of<JobOrder>(packet.bytes).job);
            } else {
                orders_.push_back(std::move(packet.bytes));
            }
        }
    }

    void wait_for_orders() {
        const auto until = Clock::now() + spin_time;
        do {
            if (take_orders() || closed_) {
                return;
            }
        } while (Clock::now() < until);
        pollfd wait{socket_, POLLIN, 0};
        ::poll(&wait, 1, -1);
    }

    static OrderKind kind_of(std::string_view order) { return static_cast<OrderKind>(order.front()); }

    void carry_out(std::string_view order) {
        switch (kind_of(order)) {
        case OrderKind::bind: bind(record_of<BindOrder>(order)); break;
        case OrderKind::forget:
            runs_.erase(record_of<JobOrder>(order).job);
            stopped_.erase(record_of<JobOrder>(order).job);
            break;
        case OrderKind::lease: fill_tiles(record_of<LeaseOrder>(order)); break;
        case OrderKind::populate: populate(record_of<ExtentOrder>(order)); break;
        case OrderKind::give_up_memory: give_up(record_of<ExtentOrder>(order)); break;
        case OrderKind::stop_job: break;  // taken by take_orders
        }
    }

    void bind(const BindOrder& order) {
        const auto& load = kernels::all_kernels()[order.kernel].load;
        if (const std::optional<Error> problem = load ? load() : std::nullopt) {
            CannotRunReport cannot{.job = order.job};
            problem->because.copy(cannot.because.data(), cannot.because.size() - 1);
            report(cannot);
            return;
        }
        runs_.insert_or_assign(order.job, TileRun(order, volume_.data(), {scratch_, kernels::scratch_bytes}));
    }

    void fill_tiles(const LeaseOrder& lease) {
        const auto start = Clock::now();
        const auto found = runs_.find(lease.job);
        std::int64_t filled = 0;
        for (; filled < lease.count && found != runs_.end(); ++filled) {
            const TileRun& run = found->second;
            if (filled > 0) {
                take_orders();  // 0.2 us a tile: a cancel takes effect at this tile's border, not at the lease's
            }
            if (stopped_.contains(lease.job) || closed_) {
                break;
            }
            pause_point("worker-before-tile");
            run.fill(lease.first + filled);
            pause_point("worker-after-tile");
        }
        pause_point("worker-before-report");
        const auto busy = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start);
        report(LeaseReport{.lease = lease.lease, .filled = filled, .busy_nanoseconds = busy.count()});
    }

    void populate(const ExtentOrder& order) {
        const auto backing = populate_extents(volume_.data() + order.begin,
                                              static_cast<std::size_t>(order.end - order.begin), order.pages);
        report(ExtentReport{.kind = ReportKind::populated,
                            .begin = order.begin,
                            .end = order.end,
                            .backing = backing.value_or(Backing::none),
                            .error_number = backing ? 0 : backing.error()});
    }

    void give_up(const ExtentOrder& order) {
        const int failure =
            give_up_extents(volume_.data() + order.begin, static_cast<std::size_t>(order.end - order.begin));
        report(ExtentReport{.kind = ReportKind::gave_up_memory,
                            .begin = order.begin,
                            .end = order.end,
                            .backing = Backing::none,
                            .error_number = failure});
    }

    const VolumeSegment& volume_;
    int socket_;
    std::byte* scratch_;
    std::deque<std::string> orders_;
    std::map<JobId, TileRun> runs_;
    std::set<JobId> stopped_;
    bool closed_ = false;
};

}  // namespace

void run_worker(const VolumeSegment& volume, UniqueDescriptor supervisor, const WorkerIdentity& identity) {
    volume.protect_header();
    Worker(volume, supervisor.get()).serve(identity.warm);
}

}  // namespace slab::daemon
