#pragma once

#include "common/files/unique_descriptor.hpp"
#include "daemon/volume/reader_locks.hpp"
#include "daemon/volume/volume_segment.hpp"

#include <vector>

namespace slab::daemon {

struct WorkerIdentity {
    int slot = 0;
    int cpu = 0;
    int nice = 0;
    std::vector<ByteRange> warm;  // extents of running jobs: mapped in before the worker says idle
};

// The life of a worker: single-threaded, pinned, writes only the tiles of its leases. Returns when the supervisor's
// end of the socket closes.
void run_worker(const VolumeSegment& volume, UniqueDescriptor supervisor, const WorkerIdentity& identity);

}  // namespace slab::daemon
