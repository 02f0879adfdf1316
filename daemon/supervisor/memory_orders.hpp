#pragma once

#include "daemon/settings/settings.hpp"
#include "daemon/supervisor/worker_pool.hpp"
#include "daemon/volume/volume_space.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace slab::daemon {

// Puts memory behind extents and takes it away, by orders to workers: first what jobs wait for, then, when a worker
// has nothing else to do, the whole volume in the background. Each worker has its share of the background work, so
// that on a machine with several memories (NUMA) a page lies near the CPU that touched it first.
class MemoryOrders {
  public:
    MemoryOrders(VolumeSpace& space, WorkerPool& workers, HugePages wish);

    void populate_in_background();

    // Makes sure that every extent of the run has memory, or will have: see is_populated.
    void need(ByteRange run);
    bool is_populated(ByteRange run) const;

    // Gives the memory of free extents back to the system; `then` gets the number of bytes.
    void trim(std::function<void(std::int64_t)> then);

    // Hands one order to the worker, if jobs (or, for an idle worker, the background) want one.
    bool give_needed(WorkerSlot worker);
    bool give_background(WorkerSlot worker);
    bool has_needed() const { return !needed_.empty(); }

    // A worker's report. An error says why a run could not be populated.
    struct Outcome {
        ByteRange run;
        std::optional<Error> error;
    };
    Outcome finished(const ExtentReport& report);
    // The worker that held it died: it is given to another.
    void lost(const ExtentOrder& order);

  private:
    ExtentOrder populate_order(ByteRange run) const;
    void tell_trimmed();

    VolumeSpace& space_;
    WorkerPool& workers_;
    HugePages wish_;
    std::deque<ExtentOrder> needed_;
    std::vector<std::deque<ByteRange>> background_;  // one for each worker
    std::vector<std::function<void(std::int64_t)>> on_trimmed_;
    std::int64_t trims_out_ = 0;
    std::int64_t trimmed_bytes_ = 0;
};

}  // namespace slab::daemon
