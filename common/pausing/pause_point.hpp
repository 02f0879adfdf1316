#pragma once

#include <string_view>

namespace slab {

// Named places at which a test can hold a process still, and then kill it or let it go on. Costs one test of a bool
// unless SLABD_PAUSE_DIR is set: then, when DIR/NAME.armed exists, the first process to rename it to DIR/NAME.PID
// stops itself with SIGSTOP. Arming again takes the next process.
void pause_point(std::string_view name);

}  // namespace slab
