#pragma once

#include "common/files/unique_descriptor.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab {

// One SOCK_SEQPACKET packet with the descriptors that came beside it. An empty packet cannot be told from
// end-of-file, so none is ever sent.
inline constexpr std::size_t longest_packet = 128 * 1024;
inline constexpr std::size_t most_descriptors = 18;  // 16 inputs, an output, a long message

struct Packet {
    std::string bytes;
    std::vector<UniqueDescriptor> descriptors;
    bool cut_short = false;  // longer than longest_packet, or with more descriptors than most_descriptors
};

enum class Transfer { moved, would_block, closed };

// One recvmsg. Descriptors arrive close-on-exec. A packet that is cut short keeps none.
Transfer receive_packet(int socket, Packet& packet);

// One sendmsg without SIGPIPE. The descriptors stay the caller's.
Transfer send_packet(int socket, std::string_view bytes, std::span<const int> descriptors = {});

}  // namespace slab
