#pragma once

#include "daemon/volume/volume_space.hpp"

#include <cstdint>

namespace slab::daemon {

using LeaseId = std::uint64_t;
using WorkerSlot = int;

// A run of tiles given to one worker. The supervisor alone writes it, in private memory: a worker that dies at any
// instruction cannot leave it half-changed. A lease comes back by the worker's message or by its death, never by a
// timeout alone: a slow worker might still write the tile.
struct Lease {
    LeaseId id = 0;
    JobId job = 0;
    std::int64_t first = 0;  // tile numbers [first, first + count) of the job's current band
    std::int64_t count = 0;
    WorkerSlot holder = 0;
};

}  // namespace slab::daemon
