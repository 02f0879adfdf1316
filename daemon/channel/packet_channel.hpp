#pragma once

#include "common/protocol/packet.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace slab::daemon {

// A connected SOCK_SEQPACKET socket on the event loop. Asio has no call for descriptors beside a packet: it waits,
// recvmsg and sendmsg work on the native handle, never blocking. Callbacks run on the loop; they may close the
// channel, not destroy it (it is kept alive by shared_ptr while a wait is pending).
class PacketChannel : public std::enable_shared_from_this<PacketChannel> {
  public:
    using OnPacket = std::function<void(Packet&&)>;
    using OnClosed = std::function<void()>;

    PacketChannel(boost::asio::io_context& loop, UniqueDescriptor socket);

    // Once, before anything arrives is handled. on_closed is called once, when the peer has gone or a packet cannot
    // be delivered; not after close().
    void start(OnPacket on_packet, OnClosed on_closed);

    // Sends now, or queues and sends when the peer reads. A peer that asks and does not read, until most_queued
    // packets or bytes have piled up, is treated as gone.
    void send(std::string bytes, std::vector<UniqueDescriptor> descriptors = {});

    // Without copying: for the small plain messages to children.
    void send_plain(std::string_view bytes, std::span<const int> descriptors = {});

    // Handles what has arrived already: a dead child's last words come before its death.
    void drain();

    void close();
    bool is_open() const { return socket_.is_open(); }
    bool has_backlog() const { return !outgoing_.empty(); }
    int native_handle() { return socket_.native_handle(); }

  private:
    struct Outgoing {
        std::string bytes;
        std::vector<UniqueDescriptor> descriptors;
    };
    static constexpr std::size_t most_queued = 1024;
    static constexpr std::size_t most_queued_bytes = 16 << 20;

    void wait_readable();
    void wait_writable();
    void read_some();
    bool write(const Outgoing& packet, Transfer& result);
    void peer_gone();

    boost::asio::posix::stream_descriptor socket_;
    OnPacket on_packet_;
    OnClosed on_closed_;
    std::deque<Outgoing> outgoing_;
    std::size_t outgoing_bytes_ = 0;
    bool waiting_writable_ = false;
};

}  // namespace slab::daemon
