#pragma once

#include <string_view>

namespace slab {

// Named places at which a test can make a call fail. Costs one test of a bool unless SLABD_FAULT_DIR is set: then, when
// DIR/NAME exists, the number in it is the errno value that the call is to answer. 0: no fault.
int fault_point(std::string_view name);

}  // namespace slab
