#include "common/protocol/packet.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace slab {
namespace {

constexpr std::size_t control_bytes = CMSG_SPACE(most_descriptors * sizeof(int));

void take_descriptors(const msghdr& message, std::vector<UniqueDescriptor>& descriptors) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(const_cast<msghdr*>(&message), header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int descriptor = -1;
            std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            descriptors.emplace_back(descriptor);
        }
    }
}

}  // namespace

Transfer receive_packet(int socket, Packet& packet) {
    // One buffer a process: zeroing 128 KiB for each small message would cost more than the message.
    static thread_local std::string buffer(longest_packet, '\0');
    alignas(cmsghdr) char control[control_bytes];
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);

    ssize_t count = -1;
    do {
        count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? Transfer::would_block : Transfer::closed;
    }
    packet.descriptors.clear();
    take_descriptors(message, packet.descriptors);
    if (count == 0) {
        return Transfer::closed;
    }
    packet.bytes.assign(buffer, 0, static_cast<std::size_t>(count));
    packet.cut_short = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    if (packet.cut_short) {
        packet.descriptors.clear();
    }
    return Transfer::moved;
}

Transfer send_packet(int socket, std::string_view bytes, std::span<const int> descriptors) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[control_bytes] = {};
    if (!descriptors.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    ssize_t count = -1;
    do {
        count = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count >= 0) {
        return Transfer::moved;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? Transfer::would_block : Transfer::closed;
}

}  // namespace slab
