#include "daemon/channel/packet_channel.hpp"

#include <fcntl.h>
#include <utility>

namespace slab::daemon {

PacketChannel::PacketChannel(boost::asio::io_context& loop, UniqueDescriptor socket) : socket_(loop) {
    const int descriptor = socket.release();
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    socket_.assign(descriptor);
}

void PacketChannel::start(OnPacket on_packet, OnClosed on_closed) {
    on_packet_ = std::move(on_packet);
    on_closed_ = std::move(on_closed);
    wait_readable();
}

void PacketChannel::wait_readable() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& failure) {
                           if (!failure && self->is_open()) {
                               self->read_some();
                           }
                       });
}

void PacketChannel::read_some() {
    // A flooding peer gets a turn of this many packets, then the others have theirs.
    constexpr int most_in_a_turn = 32;
    for (int i = 0; i < most_in_a_turn; ++i) {
        Packet packet;
        switch (receive_packet(socket_.native_handle(), packet)) {
        case Transfer::would_block: wait_readable(); return;
        case Transfer::closed: peer_gone(); return;
        case Transfer::moved: on_packet_(std::move(packet)); break;
        }
        if (!is_open()) {
            return;
        }
    }
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
        if (self->is_open()) {
            self->read_some();
        }
    });
}

void PacketChannel::drain() {
    Packet packet;
    while (is_open() && receive_packet(socket_.native_handle(), packet) == Transfer::moved) {
        on_packet_(std::move(packet));
    }
}

bool PacketChannel::write(const Outgoing& packet, Transfer& result) {
    std::vector<int> numbers;
    for (const UniqueDescriptor& descriptor : packet.descriptors) {
        numbers.push_back(descriptor.get());
    }
    result = send_packet(socket_.native_handle(), packet.bytes, numbers);
    return result == Transfer::moved;
}

void PacketChannel::send(std::string bytes, std::vector<UniqueDescriptor> descriptors) {
    if (!is_open()) {
        return;
    }
    Outgoing packet{std::move(bytes), std::move(descriptors)};
    Transfer result = Transfer::would_block;
    if (outgoing_.empty() && write(packet, result)) {
        return;
    }
    if (!outgoing_.empty() || result == Transfer::would_block) {
        if (outgoing_.size() < most_queued && outgoing_bytes_ < most_queued_bytes) {
            outgoing_bytes_ += packet.bytes.size();
            outgoing_.push_back(std::move(packet));
            wait_writable();
            return;
        }
    }
    // Reported from the loop, not from inside the caller's send.
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->peer_gone(); });
}

void PacketChannel::send_plain(std::string_view bytes, std::span<const int> descriptors) {
    if (!is_open()) {
        return;
    }
    if (outgoing_.empty() && send_packet(socket_.native_handle(), bytes, descriptors) == Transfer::moved) {
        return;
    }
    std::vector<UniqueDescriptor> copies;
    for (const int descriptor : descriptors) {
        copies.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    }
    send(std::string(bytes), std::move(copies));
}

void PacketChannel::wait_writable() {
    if (std::exchange(waiting_writable_, true)) {
        return;
    }
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& failure) {
                           self->waiting_writable_ = false;
                           if (failure || !self->is_open()) {
                               return;
                           }
                           while (!self->outgoing_.empty()) {
                               Transfer result = Transfer::moved;
                               if (!self->write(self->outgoing_.front(), result)) {
                                   if (result == Transfer::would_block) {
                                       self->wait_writable();
                                   } else {
                                       self->peer_gone();
                                   }
                                   return;
                               }
                               self->outgoing_bytes_ -= self->outgoing_.front().bytes.size();
                               self->outgoing_.pop_front();
                           }
                       });
}

void PacketChannel::peer_gone() {
    if (!is_open()) {
        return;
    }
    close();
    // The callback may hold the last other reference to what owns this channel.
    if (const OnClosed on_closed = std::exchange(on_closed_, nullptr)) {
        on_closed();
    }
}

void PacketChannel::close() {
    outgoing_.clear();
    outgoing_bytes_ = 0;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace slab::daemon
