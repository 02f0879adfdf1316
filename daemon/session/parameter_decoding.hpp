#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/parameter_reader.hpp"

#include <vector>

namespace slab::daemon {

// `parameters` of an object of the protocol: values as they were sent, not yet of their kernel's types.
Expected<std::vector<GivenParameter>> decode_parameters(const Json& body);

}  // namespace slab::daemon
