#include "daemon/supervisor/plugin_probe.hpp"

#include "common/protocol/message.hpp"
#include "daemon/plugins/plugin_file.hpp"
#include "daemon/plugins/plugin_json.hpp"
#include "daemon/plugins/plugin_library.hpp"
#include "daemon/process/process_title.hpp"
#include "daemon/supervisor/child_start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

using Clock = std::chrono::steady_clock;

// Constructors take milliseconds; systemd waits 60 s for the start.
constexpr auto patience = std::chrono::seconds(10);

void tell(const Json& body, std::vector<UniqueDescriptor> descriptors = {}) {
    send_packet(child_socket, encode_message(body, std::move(descriptors)));
}

// In the process of its own. Says how far it has come, so that its end says where it happened.
void look_at(const std::string& path) {
    auto image = read_plugin_file(path);
    if (!image) {
        tell({{"refused", error_to_json(image.error())}});
        return;
    }
    std::vector<UniqueDescriptor> descriptors;
    descriptors.emplace_back(::fcntl(image->memory.get(), F_DUPFD_CLOEXEC, child_lock + 1));
    tell({{"digest", image->digest}}, std::move(descriptors));
    PluginLibrary library(path, image->memory.get());
    if (const auto problem = library.load()) {
        tell({{"refused", error_to_json(*problem)}});
        return;
    }
    tell({{"loaded", true}});
    const auto kernels = kernels::read_plugin_table(library.table());
    if (!kernels) {
        const bool is_version =
            library.table().abi != SLAB_KERNEL_ABI || library.table().kernel_bytes != sizeof(slab_kernel);
        tell({{"refused", error_to_json(plugin_refused(
                              path, kernels.error(),
                              is_version ? "Build it with the slab_kernel.h that came with this slabd."
                                         : "Correct its table of kernels; slab_kernel.h explains it."))}});
        return;
    }
    Json list = Json::array();
    for (const kernels::ToldKernel& kernel : *kernels) {
        list.push_back(told_kernel_to_json(kernel));
    }
    tell({{"kernels", list}});
}

struct Probe {
    enum class Step : std::uint8_t { reading, loading, describing, done };

    std::string path;
    UniqueDescriptor socket;
    pid_t pid = -1;
    Step step = Step::reading;
    ProbedPlugin found{};
    std::optional<Error> problem = std::nullopt;

    bool is_over() const { return step == Step::done || problem.has_value(); }
};

std::string_view doing(Probe::Step step) {
    constexpr std::array<std::string_view, 3> texts{
        "while its file was read",
        "while it was loaded: a constructor of its own or of a library that it uses",
        "while its table of kernels was read: a pointer in it is wrong, or a list is too long"};
    return texts[static_cast<std::size_t>(step)];
}

Probe begin(const std::string& path) {
    Probe probe{.path = path, .socket = {}};
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        probe.problem = plugin_refused(path, errno_text(errno), "");
        return probe;
    }
    probe.socket.reset(ends[0]);
    const UniqueDescriptor child_end(ends[1]);
    const SignalsBlocked blocked;
    const pid_t parent = ::getpid();
    probe.pid = ::fork();
    if (probe.pid == 0) {
        become_child(child_end.get(), -1, parent);
        set_process_title("slabd: looks at a plug-in");
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_CORE, &none);
        look_at(path);
        std::_Exit(EXIT_SUCCESS);
    }
    if (probe.pid < 0) {
        probe.problem = plugin_refused(path, "no process can be forked: " + errno_text(errno), "");
    }
    return probe;
}

// Its socket is closed: it has ended, or the plug-in has closed what is not its own.
void ended(Probe& probe) {
    int status = 0;
    ::kill(probe.pid, SIGKILL);
    ::waitpid(probe.pid, &status, 0);
    probe.pid = -1;
    if (probe.is_over()) {
        return;
    }
    probe.problem =
        plugin_refused(probe.path,
                       fmt::format("it {} {}",
                                   WIFSIGNALED(status)
                                       ? fmt::format("crashed (signal {}, {})", WTERMSIG(status),
                                                     ::strsignal(WTERMSIG(status)))
                                       : fmt::format("ended its process (exit code {})", WEXITSTATUS(status)),
                                   doing(probe.step)),
                       "Correct it; slabd goes on without it.");
}

void take_message(Probe& probe) {
    Packet packet;
    if (receive_packet(probe.socket.get(), packet) != Transfer::moved) {
        ended(probe);
        return;
    }
    auto message = decode_message(std::move(packet));
    if (!message) {
        probe.problem = message.error();
    } else if (message->body.contains("refused")) {
        probe.problem = error_from_json(message->body["refused"]);
    } else if (message->body.contains("digest") && message->descriptors.size() == 1) {
        probe.found.digest = text_or(message->body, "digest");
        probe.found.image = std::move(message->descriptors.front());
        probe.step = Probe::Step::loading;
    } else if (message->body.contains("loaded")) {
        probe.step = Probe::Step::describing;
    } else {
        for (const Json& kernel : message->body.value("kernels", Json::array())) {
            auto told = told_kernel_from_json(kernel);
            if (!told) {
                probe.problem = plugin_refused(probe.path, "its table of kernels arrived damaged", "");
                return;
            }
            probe.found.kernels.push_back(std::move(*told));
        }
        probe.step = Probe::Step::done;
    }
}

void wait_for_messages(std::vector<Probe>& probes, Clock::time_point deadline) {
    std::vector<pollfd> waits;
    std::vector<Probe*> open;
    for (Probe& probe : probes) {
        if (!probe.is_over()) {
            waits.push_back({probe.socket.get(), POLLIN, 0});
            open.push_back(&probe);
        }
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    ::poll(waits.data(), waits.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
    for (std::size_t i = 0; i < waits.size(); ++i) {
        if (waits[i].revents != 0) {
            take_message(*open[i]);
        }
    }
}

}  // namespace

std::vector<Expected<ProbedPlugin>> probe_plugins(const std::vector<std::string>& paths) {
    std::vector<Probe> probes;
    for (const std::string& path : paths) {
        probes.push_back(begin(path));
    }
    const auto deadline = Clock::now() + patience;
    const auto is_over = [](const Probe& probe) { return probe.is_over(); };
    while (!std::ranges::all_of(probes, is_over) && Clock::now() < deadline) {
        wait_for_messages(probes, deadline);
    }
    std::vector<Expected<ProbedPlugin>> results;
    for (Probe& probe : probes) {
        if (!probe.is_over()) {
            probe.problem = plugin_refused(
                probe.path, fmt::format("it hung for {} s {}", patience.count(), doing(probe.step)),
                "Correct it; slabd goes on without it.");
        }
        if (probe.pid > 0) {
            ended(probe);
        }
        probe.found.path = probe.path;
        results.push_back(probe.problem ? Expected<ProbedPlugin>(std::unexpected(std::move(*probe.problem)))
                                        : std::move(probe.found));
    }
    return results;
}

}  // namespace slab::daemon
