#include "daemon/supervisor/plugin_registration.hpp"

#include "daemon/admission/parameter_reader.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/plugins/plugin_file.hpp"
#include "daemon/plugins/plugin_library.hpp"
#include "daemon/supervisor/child_start.hpp"
#include "daemon/supervisor/plugin_probe.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>

namespace slab::daemon {
namespace {

constexpr std::string_view correct_it = "Correct its table of kernels; slab_kernel.h explains it.";

// The defaults as every job will read them.
std::optional<std::string> check_defaults(const kernels::PluginKernel& kernel) {
    const auto values = read_parameters(kernel.description, {});
    const auto problem = values ? kernels::check_values(kernel, *values) : std::optional(values.error());
    return problem ? std::optional(fmt::format("kernel '{}', default_value: {}; {}", kernel.description.name,
                                               problem->what, problem->because))
                   : std::nullopt;
}

std::optional<std::string> check_name(const std::string& name,
                                      const std::vector<kernels::Kernel>& of_plugins) {
    if (kernels::find_kernel(name) != nullptr) {
        return fmt::format("kernel '{}': slabd has a kernel of that name", name);
    }
    for (const kernels::Kernel& other : of_plugins) {
        if (other.describe().name == name) {
            return fmt::format("kernel '{}': the plug-in {} has a kernel of that name", name,
                               other.describe().plugin);
        }
    }
    return std::nullopt;
}

// All kernels of a library, or none.
Expected<std::vector<kernels::Kernel>> kernels_of(const ProbedPlugin& plugin, int descriptor,
                                                  const std::vector<kernels::Kernel>& before) {
    const auto library = std::make_shared<PluginLibrary>(plugin.path, descriptor);
    std::vector<kernels::Kernel> result;
    std::set<std::string> names;
    for (std::size_t number = 0; number < plugin.kernels.size(); ++number) {
        auto kernel = kernels::check_plugin_kernel(plugin.kernels[number], {plugin.path, plugin.digest});
        if (!kernel) {
            return std::unexpected(plugin_refused(plugin.path, kernel.error(), std::string(correct_it)));
        }
        const std::string name = kernel->description.name;
        if (!names.insert(name).second) {
            return std::unexpected(plugin_refused(plugin.path, fmt::format("it has two kernels '{}'", name),
                                                  "Give one of them another name."));
        }
        if (auto taken = check_name(name, before)) {
            return std::unexpected(
                plugin_refused(plugin.path, std::move(*taken), "Give the kernel another name."));
        }
        if (auto problem = check_defaults(*kernel)) {
            return std::unexpected(plugin_refused(plugin.path, std::move(*problem), std::string(correct_it)));
        }
        result.push_back(kernels::plugin_kernel(
            std::make_shared<const kernels::PluginKernel>(std::move(*kernel)), code_of(library, number)));
    }
    return result;
}

}  // namespace

PluginRoster register_plugins(const std::vector<std::string>& settings) {
    std::vector<std::string> paths;
    for (const std::string& setting : settings) {
        std::ranges::copy(plugin_files_at(setting), std::back_inserter(paths));
    }
    PluginRoster roster;
    std::vector<kernels::Kernel> all;
    auto probed = probe_plugins(paths);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const int descriptor = first_plugin_descriptor + static_cast<int>(roster.images().size());
        auto kernels = probed[i] ? kernels_of(*probed[i], descriptor, all)
                                 : Expected<std::vector<kernels::Kernel>>(std::unexpected(probed[i].error()));
        if (!kernels) {
            spdlog::error("plugin={} refused: {}", paths[i], to_text(kernels.error()));
            roster.add({paths[i], {}, kernels.error()}, {});
            continue;
        }
        PluginEntry entry{paths[i], {}};
        for (kernels::Kernel& kernel : *kernels) {
            entry.kernels.push_back(kernel.describe().name);
            all.push_back(std::move(kernel));
        }
        spdlog::info("plugin={} kernels={} digest={}", paths[i], fmt::join(entry.kernels, ","),
                     probed[i]->digest);
        roster.add(std::move(entry), std::move(probed[i]->image));
    }
    kernels::add_plugin_kernels(std::move(all));
    return roster;
}

}  // namespace slab::daemon
