#pragma once

#include "daemon/channel/packet_channel.hpp"
#include "daemon/supervisor/zygote.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {

// A child as the supervisor holds it: a socket to talk to it and a pidfd to learn of its death.
class ChildProcess : public std::enable_shared_from_this<ChildProcess> {
  public:
    // What happened to a child that has been reaped, for the log: "signal 9 (Killed)", "exit code 1".
    using OnDeath = std::function<void(const std::string& how)>;

    ChildProcess(boost::asio::io_context& loop, UniqueDescriptor socket);

    void start(PacketChannel::OnPacket on_packet, OnDeath on_death);

    // The zygote answered. Packets may have come before; death is noticed from here on, also one that was earlier.
    void forked(pid_t pid);
    void fork_failed(int error_number);

    PacketChannel& channel() { return *channel_; }
    pid_t pid() const { return pid_; }
    int pidfd() { return pidfd_.is_open() ? pidfd_.native_handle() : -1; }
    void kill();

  private:
    void reap();

    std::shared_ptr<PacketChannel> channel_;
    boost::asio::posix::stream_descriptor pidfd_;
    PacketChannel::OnPacket on_packet_;
    OnDeath on_death_;
    pid_t pid_ = -1;
    bool kill_wanted_ = false;
};

// Asks the zygote for children. When the zygote itself dies, another is forked and what was asked for is asked again.
class ChildSpawner {
  public:
    ChildSpawner(boost::asio::io_context& loop, const VolumeSegment& volume, int children_lock,
                 std::span<const int> plugin_images, Zygote zygote);

    std::shared_ptr<ChildProcess> spawn(ForkOrder order);

    // The zygote ends with its socket.
    void stop();

  private:
    struct Pending {
        ForkOrder order;
        UniqueDescriptor child_end;
        std::shared_ptr<ChildProcess> child;
    };

    void listen(Zygote zygote);
    void ask(const Pending& pending);
    void replied(const ForkReply& reply);
    void zygote_died();

    boost::asio::io_context& loop_;
    const VolumeSegment& volume_;
    int children_lock_;
    std::vector<int> plugin_images_;
    std::shared_ptr<PacketChannel> zygote_;
    pid_t zygote_pid_ = -1;
    std::map<std::uint64_t, Pending> pending_;
    std::uint64_t next_ticket_ = 1;
    bool stopping_ = false;
};

}  // namespace slab::daemon
