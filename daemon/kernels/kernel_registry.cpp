#include "daemon/kernels/kernel_registry.hpp"

#include "daemon/kernels/simd_targets.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <ranges>

namespace slab::kernels {
namespace {

// Written by select_simd_level() at the start of the process, before any tile runs. Until then, and for
// `scalar`, tiles run by the definition.
std::int64_t selected_target = HWY_SCALAR;

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

// The targets that are both compiled and of this machine, the best first: the lower the bit, the better.
// Without Highway's own scalar target, which the kernels answer by their scalar definition.
const std::vector<std::int64_t>& machine_targets() {
    static const std::vector<std::int64_t> targets = [] {
        std::vector<std::int64_t> found = hwy::SupportedAndGeneratedTargets();
        std::erase(found, HWY_SCALAR);
        return found;
    }();
    return targets;
}

// Written by add_plugin_kernels() alone.
std::vector<Kernel>& registered_kernels() {
    static std::vector<Kernel> kernels(built_in_kernels().begin(), built_in_kernels().end());
    return kernels;
}

}  // namespace

std::span<const Kernel> all_kernels() {
    return registered_kernels();
}

void add_plugin_kernels(std::vector<Kernel> kernels) {
    std::ranges::move(kernels, std::back_inserter(registered_kernels()));
}

const Kernel* find_kernel(std::string_view name) {
    for (const Kernel& kernel : all_kernels()) {
        if (kernel.describe().name == name) {
            return &kernel;
        }
    }
    return nullptr;
}

std::vector<std::string> simd_levels() {
    std::vector<std::string> levels;
    for (const std::int64_t target : machine_targets()) {
        levels.emplace_back(hwy::TargetName(target));
    }
    levels.emplace_back("scalar");
    return levels;
}

bool select_simd_level(const char* maybe_level) {
    const std::vector<std::int64_t>& targets = machine_targets();
    const std::string_view level = maybe_level == nullptr ? "" : maybe_level;
    if (same_name(level, "scalar") || (level.empty() && targets.empty())) {
        selected_target = HWY_SCALAR;
        return true;
    }
    std::int64_t allowed = HWY_SCALAR;
    for (const std::int64_t target : targets | std::views::reverse) {
        allowed |= target;
        if (same_name(level, hwy::TargetName(target)) || (level.empty() && target == targets.front())) {
            hwy::SetSupportedTargetsForTest(allowed);
            selected_target = target;
            return true;
        }
    }
    return false;
}

std::string_view simd_level() {
    return selected_target == HWY_SCALAR ? "scalar" : hwy::TargetName(selected_target);
}

void run_tile(const Kernel& kernel, const TileCall& call) noexcept {
    (selected_target == HWY_SCALAR ? kernel.fill_scalar : kernel.fill)(call);
}

}  // namespace slab::kernels
