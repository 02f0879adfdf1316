#pragma once

#include "common/errors/error.hpp"

#include <string>
#include <vector>

namespace slab::daemon {

// The CPUs to pin workers to, of those this process may use: "cores" (one CPU of each physical core), "threads" (all,
// SMT siblings included), or a list as the kernel writes it ("0-3,8"), of which each must be allowed.
Expected<std::vector<int>> choose_cpus(const std::string& setting);

// Pins the calling process; false when the CPU has gone (cpuset changed): the process then stays unpinned.
bool pin_to_cpu(int cpu);

}  // namespace slab::daemon
