#pragma once

#include "common/protocol/message.hpp"
#include "daemon/kernels/plugin/plugin_description.hpp"

#include <optional>

namespace slab::daemon {

// A plug-in's kernel on its way from the process that has loaded the library to the one that must not.
Json told_kernel_to_json(const kernels::ToldKernel& kernel);

// Nothing: the text was not written by the above.
std::optional<kernels::ToldKernel> told_kernel_from_json(const Json& json);

}  // namespace slab::daemon
