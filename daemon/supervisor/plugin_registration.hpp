#pragma once

#include "daemon/plugins/plugin_roster.hpp"

#include <string>
#include <vector>

namespace slab::daemon {

// Looks at the plug-ins that the settings name, and adds the kernels of those that are sound to the registry. One that is
// refused is in the log and in the roster, and costs nothing else. At the start only: see probe_plugins.
PluginRoster register_plugins(const std::vector<std::string>& settings);

}  // namespace slab::daemon
