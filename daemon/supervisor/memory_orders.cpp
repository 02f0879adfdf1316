#include "daemon/supervisor/memory_orders.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>

namespace slab::daemon {
namespace {

// One order for a job that waits: about 2 ms with huge pages of warm memory, 50 ms and more where the system has to
// find the memory first. In the background a tenth of it: leases queue behind it.
constexpr std::int64_t order_bytes = std::int64_t{32} << 20;
constexpr std::int64_t background_order_bytes = std::int64_t{4} << 20;

Error no_memory(int error_number, HugePages wish) {
    if (wish == HugePages::required) {
        return {ErrorKind::failed, "the volume cannot get huge pages",
                fmt::format("the kernel answered: {}", errno_text(error_number)),
                "Set volume.huge_pages = \"try\", or free memory that is fragmented (reboot)."};
    }
    const std::string answer = error_number == EFAULT ? "no page is free" : errno_text(error_number);
    return {
        ErrorKind::failed, "there is no memory for the volume",
        fmt::format("the kernel answered: {}; /dev/shm or the memory limit of the service is full", answer),
        "Free space in /dev/shm, or make volume.size smaller."};
}

}  // namespace

MemoryOrders::MemoryOrders(VolumeSpace& space, WorkerPool& workers, HugePages wish)
    : space_(space), workers_(workers), wish_(wish), background_(static_cast<std::size_t>(workers.size())) {}

ExtentOrder MemoryOrders::populate_order(ByteRange run) const {
    const PageWish pages = wish_ == HugePages::attempt    ? PageWish::huge_if_possible
                           : wish_ == HugePages::required ? PageWish::huge_or_fail
                                                          : PageWish::small;
    return {OrderKind::populate, run.begin, run.end, pages};
}

void MemoryOrders::populate_in_background() {
    const std::vector<ByteRange> runs = space_.unpopulated(space_.everything(), background_order_bytes);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        background_[i * background_.size() / runs.size()].push_back(runs[i]);
    }
}

void MemoryOrders::need(ByteRange run) {
    for (const ByteRange& part : space_.unpopulated(run, order_bytes)) {
        needed_.push_back(populate_order(part));
    }
}

bool MemoryOrders::is_populated(ByteRange run) const {
    return space_.unpopulated(run, run.end - run.begin).empty();
}

void MemoryOrders::trim(std::function<void(std::int64_t)> then) {
    for (std::deque<ByteRange>& share : background_) {
        share.clear();  // who asks for memory back does not want it taken again
    }
    on_trimmed_.push_back(std::move(then));
    for (const ByteRange& run : space_.idle_memory(order_bytes)) {
        space_.hold(run);
        needed_.push_back({OrderKind::give_up_memory, run.begin, run.end, PageWish::small});
        ++trims_out_;
    }
    if (trims_out_ == 0) {
        tell_trimmed();
    }
}

void MemoryOrders::tell_trimmed() {
    const std::int64_t bytes = std::exchange(trimmed_bytes_, 0);
    for (const auto& then : std::exchange(on_trimmed_, {})) {
        then(bytes);
    }
}

bool MemoryOrders::give_needed(WorkerSlot worker) {
    if (needed_.empty()) {
        return false;
    }
    workers_.order_extents(worker, needed_.front());
    needed_.pop_front();
    return true;
}

bool MemoryOrders::give_background(WorkerSlot worker) {
    // Its own share first, then what others have left.
    for (std::size_t i = 0; i < background_.size(); ++i) {
        std::deque<ByteRange>& share =
            background_[(static_cast<std::size_t>(worker) + i) % background_.size()];
        while (!share.empty()) {
            const ByteRange run = share.front();
            share.pop_front();
            if (!is_populated(run)) {
                workers_.order_extents(worker, populate_order(run));
                return true;
            }
        }
    }
    return false;
}

MemoryOrders::Outcome MemoryOrders::finished(const ExtentReport& report) {
    const ByteRange run{report.begin, report.end};
    if (report.kind == ReportKind::gave_up_memory) {
        if (report.error_number == 0) {
            space_.set_backing(run, Backing::none);
            trimmed_bytes_ += run.end - run.begin;
        }
        space_.release(run);
        if (--trims_out_ == 0) {
            tell_trimmed();
        }
        return {run, std::nullopt};
    }
    if (report.error_number == 0) {
        space_.set_backing(run, report.backing);
        return {run, std::nullopt};
    }
    const Error error = no_memory(report.error_number, wish_);
    spdlog::warn("populate offset={} bytes={} failed: {}", run.begin, run.end - run.begin,
                 errno_text(report.error_number));
    for (std::deque<ByteRange>& share : background_) {
        share.clear();  // the rest would fail too, one warning each; jobs that need memory still ask
    }
    return {run, error};
}

void MemoryOrders::lost(const ExtentOrder& order) {
    needed_.push_front(order);
}

}  // namespace slab::daemon
