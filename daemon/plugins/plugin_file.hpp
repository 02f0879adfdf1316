#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <string>
#include <vector>

namespace slab::daemon {

// The libraries that a setting names: the file itself, or all *.so of a folder, by name. A path that is not there is
// listed, to be refused.
std::vector<std::string> plugin_files_at(const std::string& path);

// A library as it was when the daemon started, in sealed memory: whoever rebuilds the file changes nothing for this
// daemon's jobs, and all its workers run the same code.
struct PluginImage {
    UniqueDescriptor memory;
    std::string digest;  // of the bytes: 16 hexadecimal digits
};

// Refused: what is no regular file, and what somebody else than root and this process's user could change, by its own
// mode or that of a folder above it.
Expected<PluginImage> read_plugin_file(const std::string& path);

// "the plug-in PATH is refused", with why.
Error plugin_refused(const std::string& path, std::string because, std::string remedy);

}  // namespace slab::daemon
