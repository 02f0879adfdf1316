#pragma once

#include "common/files/unique_descriptor.hpp"

namespace slab::daemon {

// The life of the journal's process: the only one that waits for the disk so that the supervisor need not. Writes all
// orders that wait with one sync, then answers each. Returns when the supervisor's end of the socket closes, after
// what had arrived by then was written.
void run_journal(UniqueDescriptor folder, UniqueDescriptor supervisor);

}  // namespace slab::daemon
