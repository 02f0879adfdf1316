#include "daemon/mover/supervisor_socket.hpp"

#include "daemon/process/plain_record.hpp"

#include <algorithm>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace slab::daemon {
namespace {

MoverOrder order_in(const Packet& packet) {
    return record_of<MoverOrder>(packet.bytes);
}

bool is_cancel(const Packet& packet) {
    return order_in(packet).kind == MoverOrderKind::cancel;
}

}  // namespace

bool SupervisorSocket::take_in() {
    bool is_cancelled = false;
    while (::recv(descriptor_, nullptr, 0, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) >= 0) {
        Packet packet;
        if (receive_packet(descriptor_, packet) != Transfer::moved) {
            is_closed_ = true;
            break;
        }
        is_cancelled = is_cancelled || is_cancel(packet);
        orders_.push_back(std::move(packet));
    }
    return is_cancelled;
}

void SupervisorSocket::wait() const {
    pollfd wait{descriptor_, POLLIN, 0};
    ::poll(&wait, 1, -1);
}

MoverOrder SupervisorSocket::next_order() const {
    return order_in(orders_.front());
}

Packet SupervisorSocket::take_order() {
    Packet packet = std::move(orders_.front());
    orders_.pop_front();
    return packet;
}

bool SupervisorSocket::has_cancel() const {
    return std::ranges::any_of(orders_, is_cancel);
}

void SupervisorSocket::send(const MoverReport& report) {
    if (send_packet(descriptor_, bytes_of(report)) != Transfer::moved) {
        is_closed_ = true;
    }
}

}  // namespace slab::daemon
