#include "daemon/supervisor/zygote.hpp"

#include "common/protocol/packet.hpp"
#include "daemon/journal/journal_main.hpp"
#include "daemon/mover/mover_main.hpp"
#include "daemon/process/plain_record.hpp"
#include "daemon/process/process_title.hpp"
#include "daemon/supervisor/child_start.hpp"
#include "daemon/worker/cpu_affinity.hpp"
#include "daemon/worker/worker_main.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <linux/sched.h>
#include <numeric>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace slab::daemon {
namespace {

// fork(), but the child's parent is ours. The C library has no call for it; safe because this process has one thread.
// clone and not clone3: filters of system calls cannot look into clone3's argument and answer ENOSYS.
pid_t fork_sibling() {
    return static_cast<pid_t>(
        ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

[[noreturn]] void live_as_worker(const VolumeSegment& volume, const ForkOrder& order) {
    WorkerIdentity identity{order.slot, order.cpu, order.nice, {}};
    identity.warm.assign(order.warm.begin(), order.warm.begin() + order.warm_count);
    set_process_title(fmt::format("slabd: worker {} (cpu {})", order.slot, order.cpu));
    pin_to_cpu(order.cpu);
    ::setpriority(PRIO_PROCESS, 0, order.nice);
    // A worker that wakes never takes its CPU from the supervisor, which would be stopped between two leases, with the
    // other workers waiting for theirs.
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_BATCH, &none);
    run_worker(volume, UniqueDescriptor(child_socket), identity);
    std::_Exit(EXIT_SUCCESS);
}

[[noreturn]] void live_as_mover(const VolumeSegment& volume) {
    set_process_title("slabd: mover");
    run_mover(volume, UniqueDescriptor(child_socket));
    std::_Exit(EXIT_SUCCESS);
}

// The supervisor's first packet brings the folder.
[[noreturn]] void live_as_journal() {
    set_process_title("slabd: journal");
    UniqueDescriptor supervisor(child_socket);
    Packet packet;
    if (receive_packet(supervisor.get(), packet) == Transfer::moved && packet.descriptors.size() == 1) {
        run_journal(std::move(packet.descriptors.front()), std::move(supervisor));
    }
    std::_Exit(EXIT_SUCCESS);
}

ForkReply carry_out(const ForkOrder& order, int child_end, const VolumeSegment& volume, pid_t supervisor,
                    std::span<const int> plugin_images) {
    const SignalsBlocked blocked;
    const pid_t pid = fork_sibling();
    if (pid == 0) {
        become_child(child_end, child_lock, supervisor,
                     order.kind == ChildKind::worker ? plugin_images : std::span<const int>());
        if (order.kind == ChildKind::worker) {
            live_as_worker(volume, order);
        }
        if (order.kind == ChildKind::journal) {
            live_as_journal();
        }
        live_as_mover(volume);
    }
    return {order.ticket, pid, pid < 0 ? errno : 0};
}

[[noreturn]] void live_as_zygote(const VolumeSegment& volume, pid_t supervisor, std::size_t plugins) {
    std::vector<int> plugin_images(plugins);
    std::iota(plugin_images.begin(), plugin_images.end(), first_plugin_descriptor);
    set_process_title("slabd: zygote");
    Packet packet;
    while (receive_packet(child_socket, packet) == Transfer::moved) {
        if (packet.descriptors.size() != 1) {
            continue;
        }
        const auto order = record_of<ForkOrder>(packet.bytes);
        const ForkReply reply =
            carry_out(order, packet.descriptors.front().get(), volume, supervisor, plugin_images);
        packet.descriptors.clear();
        if (send_packet(child_socket, bytes_of(reply)) != Transfer::moved) {
            break;
        }
    }
    std::_Exit(EXIT_SUCCESS);
}

}  // namespace

Zygote start_zygote(const VolumeSegment& volume, int children_lock, std::span<const int> plugin_images) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return {};
    }
    Zygote zygote{UniqueDescriptor(ends[0]), -1};
    const UniqueDescriptor child_end(ends[1]);
    const SignalsBlocked blocked;
    const pid_t supervisor = ::getpid();
    zygote.pid = ::fork();
    if (zygote.pid == 0) {
        become_child(child_end.get(), children_lock, supervisor, plugin_images);
        live_as_zygote(volume, supervisor, plugin_images.size());
    }
    return zygote;
}

}  // namespace slab::daemon
