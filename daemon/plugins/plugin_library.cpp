#include "daemon/plugins/plugin_library.hpp"

#include "daemon/plugins/plugin_file.hpp"

#include <fmt/format.h>

#include <dlfcn.h>

namespace slab::daemon {
namespace {

// The loader knows the library by the name of its memory; people by its path.
std::string loader_message(const std::string& path, const std::string& memory) {
    const char* const message = ::dlerror();
    std::string text = message == nullptr ? "the loader does not say why" : message;
    for (std::size_t at = text.find(memory); at != std::string::npos;
         at = text.find(memory, at + path.size())) {
        text.replace(at, memory.size(), path);
    }
    return text;
}

}  // namespace

std::optional<Error> PluginLibrary::load() {
    if (table_ != nullptr) {
        return std::nullopt;
    }
    const std::string memory = fmt::format("/proc/self/fd/{}", descriptor_);
    void* const handle = ::dlopen(memory.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        return plugin_refused(
            path_, loader_message(path_, memory),
            "Build it as a shared library, linked with all that it uses; libraries beside it are "
            "found by an absolute RPATH only.");
    }
    table_ = static_cast<const slab_plugin*>(::dlsym(handle, SLAB_PLUGIN_SYMBOL));
    if (table_ == nullptr) {
        return plugin_refused(path_, "it has no symbol " SLAB_PLUGIN_SYMBOL,
                              "Write SLAB_PLUGIN(kernels) once in it, behind the array of kernels.");
    }
    return std::nullopt;
}

kernels::PluginCode code_of(const std::shared_ptr<PluginLibrary>& library, std::size_t kernel) {
    return {
        [library] { return library->load(); },
        [library, kernel](std::size_t phase) { return kernels::fill_of(library->table(), kernel, phase); }};
}

}  // namespace slab::daemon
