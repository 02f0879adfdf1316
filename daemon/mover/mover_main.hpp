#pragma once

#include "common/files/unique_descriptor.hpp"
#include "daemon/volume/volume_segment.hpp"

namespace slab::daemon {

// The life of a mover: the only process that touches a client's files, one job's at a time. Returns when the
// supervisor's end of the socket closes.
void run_mover(const VolumeSegment& volume, UniqueDescriptor supervisor);

}  // namespace slab::daemon
