#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "daemon/kernels/plugin/plugin_description.hpp"

#include <string>
#include <vector>

namespace slab::daemon {

// What a library says of itself.
struct ProbedPlugin {
    std::string path;
    UniqueDescriptor image;  // plugin_file.hpp
    std::string digest;
    std::vector<kernels::ToldKernel> kernels;
};

// Looks at each library in a process of its own, all at the same time: whatever a plug-in's constructors and tables do
// there (crash, hang, end the process), this one learns of it as an error. Waits for the answers, some seconds at most, so
// it is for the start only, before there are threads, clients or the volume.
std::vector<Expected<ProbedPlugin>> probe_plugins(const std::vector<std::string>& paths);

}  // namespace slab::daemon
