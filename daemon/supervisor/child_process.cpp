#include "daemon/supervisor/child_process.hpp"

#include "common/errors/error.hpp"
#include "daemon/process/plain_record.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

std::string how_it_ended(const siginfo_t& information) {
    return information.si_code == CLD_EXITED
               ? fmt::format("exit code {}", information.si_status)
               : fmt::format("signal {} ({})", information.si_status, ::strsignal(information.si_status));
}

}  // namespace

ChildProcess::ChildProcess(boost::asio::io_context& loop, UniqueDescriptor socket)
    : channel_(std::make_shared<PacketChannel>(loop, std::move(socket))), pidfd_(loop) {}

void ChildProcess::start(PacketChannel::OnPacket on_packet, OnDeath on_death) {
    on_death_ = std::move(on_death);
    // The end of its socket is no news: the pidfd tells, when it can be reaped.
    channel_->start(std::move(on_packet), [] {});
}

void ChildProcess::forked(pid_t pid) {
    pid_ = pid;
    const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (descriptor < 0) {
        fork_failed(errno);
        return;
    }
    pidfd_.assign(descriptor);
    if (kill_wanted_) {
        kill();
    }
    pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& failure) {
                          if (!failure) {
                              self->reap();
                          }
                      });
}

void ChildProcess::reap() {
    siginfo_t information{};
    ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &information, WEXITED | WNOHANG);
    boost::system::error_code ignored;
    pidfd_.close(ignored);
    // What it said before it died counts: a lease that it reported is not repeated.
    channel_->drain();
    channel_->close();
    const auto on_death = std::exchange(on_death_, nullptr);
    on_death(how_it_ended(information));
}

void ChildProcess::fork_failed(int error_number) {
    channel_->close();
    const auto on_death = std::exchange(on_death_, nullptr);
    on_death(fmt::format("it could not be forked: {}", errno_text(error_number)));
}

void ChildProcess::kill() {
    kill_wanted_ = true;
    if (pidfd_.is_open()) {
        ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
    }
}

ChildSpawner::ChildSpawner(boost::asio::io_context& loop, const VolumeSegment& volume, int children_lock,
                           std::span<const int> plugin_images, Zygote zygote)
    : loop_(loop), volume_(volume), children_lock_(children_lock),
      plugin_images_(plugin_images.begin(), plugin_images.end()) {
    listen(std::move(zygote));
}

void ChildSpawner::listen(Zygote zygote) {
    zygote_pid_ = zygote.pid;
    zygote_ = std::make_shared<PacketChannel>(loop_, std::move(zygote.socket));
    zygote_->start([this](Packet&& packet) { replied(record_of<ForkReply>(packet.bytes)); },
                   [this] { zygote_died(); });
}

std::shared_ptr<ChildProcess> ChildSpawner::spawn(ForkOrder order) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        spdlog::error("no socket for a child: {}", errno_text(errno));
        return nullptr;
    }
    order.ticket = next_ticket_++;
    auto child = std::make_shared<ChildProcess>(loop_, UniqueDescriptor(ends[0]));
    const auto [place, added] =
        pending_.emplace(order.ticket, Pending{order, UniqueDescriptor(ends[1]), child});
    ask(place->second);
    return child;
}

void ChildSpawner::ask(const Pending& pending) {
    const int descriptor = pending.child_end.get();
    zygote_->send_plain(bytes_of(pending.order), {&descriptor, 1});
}

void ChildSpawner::replied(const ForkReply& reply) {
    const auto found = pending_.find(reply.ticket);
    if (found == pending_.end()) {
        return;
    }
    const std::shared_ptr<ChildProcess> child = found->second.child;
    pending_.erase(found);
    if (reply.pid > 0) {
        child->forked(reply.pid);
    } else {
        child->fork_failed(reply.error_number);
    }
}

void ChildSpawner::zygote_died() {
    ::waitpid(zygote_pid_, nullptr, 0);
    if (stopping_) {
        return;
    }
    spdlog::warn("zygote pid={} died: another is forked", zygote_pid_);
    listen(start_zygote(volume_, children_lock_, plugin_images_));
    for (const auto& [ticket, pending] : pending_) {
        ask(pending);
    }
}

void ChildSpawner::stop() {
    stopping_ = true;
    zygote_->close();
    ::kill(zygote_pid_, SIGKILL);  // not to wait for one that was stopped
    ::waitpid(zygote_pid_, nullptr, 0);
}

}  // namespace slab::daemon
