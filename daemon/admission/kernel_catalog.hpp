#pragma once

#include "common/protocol/message.hpp"
#include "daemon/kernels/kernel.hpp"

#include <string>

namespace slab::daemon {

// {"kernels": [KERNEL...]} of the protocol: all, or the one of that name.
Expected<Json> kernels_to_json(const std::string& name);

// Values as a client would send them; non-finite numbers are strings.
Json parameters_to_json(const kernels::KernelDescription& kernel, const kernels::ParameterValues& values);

}  // namespace slab::daemon
