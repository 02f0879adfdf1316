#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "common/protocol/json_text.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {

// A library of `[kernels] plugins`, as it came out at the start.
struct PluginEntry {
    std::string path;
    std::vector<std::string> kernels;  // empty when it is refused
    std::optional<Error> refusal = std::nullopt;
};

// What became of all plug-ins, the same until the daemon ends.
class PluginRoster {
  public:
    void add(PluginEntry entry, UniqueDescriptor image);

    // Of the libraries that are loaded, in the order in which children get them (first_plugin_descriptor).
    std::span<const int> images() const { return image_numbers_; }
    const std::vector<PluginEntry>& entries() const { return entries_; }

    // [{"plugin": path, "kernels": [...], "refused": null or {"what", "because", "remedy"}}]
    Json to_json() const;

  private:
    std::vector<PluginEntry> entries_;
    std::vector<UniqueDescriptor> images_;
    std::vector<int> image_numbers_;
};

}  // namespace slab::daemon
