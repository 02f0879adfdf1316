#include "daemon/worker/cpu_affinity.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sched.h>
#include <set>

namespace slab::daemon {
namespace {

constexpr int most_cpus = CPU_SETSIZE;

std::vector<int> allowed_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cpus;
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (int cpu = 0; cpu < most_cpus; ++cpu) {
            if (CPU_ISSET(cpu, &set)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus;
}

std::optional<std::vector<int>> parse_list(std::string_view text) {
    std::vector<int> cpus;
    const auto number = [](std::string_view digits) -> std::optional<int> {
        int value = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return failure == std::errc{} && end == digits.data() + digits.size() && value >= 0 &&
                       value < most_cpus
                   ? std::optional(value)
                   : std::nullopt;
    };
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const std::size_t dash = part.find('-');
        const auto first = number(part.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : number(part.substr(dash + 1));
        if (!first || !last || *first > *last) {
            return std::nullopt;
        }
        for (int cpu = *first; cpu <= *last; ++cpu) {
            cpus.push_back(cpu);
        }
    }
    return cpus.empty() ? std::nullopt : std::optional(cpus);
}

// The CPU that stands for the core this one belongs to: the first allowed sibling.
int first_sibling(int cpu, const std::vector<int>& allowed) {
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    std::string text;
    file >> text;
    for (const int sibling : parse_list(text).value_or(std::vector{cpu})) {
        if (std::ranges::find(allowed, sibling) != allowed.end()) {
            return sibling;
        }
    }
    return cpu;
}

}  // namespace

Expected<std::vector<int>> choose_cpus(const std::string& setting) {
    const std::vector<int> allowed = allowed_cpus();
    if (setting == "threads") {
        return allowed;
    }
    if (setting == "cores") {
        std::set<int> cores;
        for (const int cpu : allowed) {
            cores.insert(first_sibling(cpu, allowed));
        }
        return std::vector<int>(cores.begin(), cores.end());
    }
    const auto list = parse_list(setting);
    if (!list) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("workers.cpus = '{}' cannot be read", setting),
                  "it takes \"cores\", \"threads\" or a list", "Write it like \"0-3,8\"."});
    }
    for (const int cpu : *list) {
        if (std::ranges::find(allowed, cpu) == allowed.end()) {
            return std::unexpected(Error{ErrorKind::usage, fmt::format("workers.cpus names CPU {}", cpu),
                                         fmt::format("this process may use CPUs {}", fmt::join(allowed, ",")),
                                         "Change workers.cpus, or the service's AllowedCPUs."});
        }
    }
    return *list;
}

bool pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return ::sched_setaffinity(0, sizeof(set), &set) == 0;
}

}  // namespace slab::daemon
