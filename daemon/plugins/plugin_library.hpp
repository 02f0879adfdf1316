#pragma once

#include "common/errors/error.hpp"
#include "daemon/kernels/plugin/plugin_kernel.hpp"

#include <memory>
#include <string>

namespace slab::daemon {

// A plug-in's library in a process that runs its code: a worker, or the one that looks at it first. Nothing is loaded
// before load().
class PluginLibrary {
  public:
    // descriptor: of the image (plugin_file.hpp), in the process that will load it.
    PluginLibrary(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

    // Once; the library's constructors run. Refused with what the loader says, or without a table of kernels.
    std::optional<Error> load();

    const slab_plugin& table() const { return *table_; }

  private:
    std::string path_;
    int descriptor_;
    const slab_plugin* table_ = nullptr;
};

// How workers get at the code of a library's kernel of that number.
kernels::PluginCode code_of(const std::shared_ptr<PluginLibrary>& library, std::size_t kernel);

}  // namespace slab::daemon
