#pragma once

#include "common/errors/error.hpp"
#include "common/protocol/message.hpp"
#include "common/protocol/packet.hpp"
#include "daemon/journal/journal_messages.hpp"

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab::daemon {

// The supervisor's side: packets for the journal. Nothing here waits; an errno when memory for a memfd is short.
std::expected<OutgoingPacket, int> append_order(std::uint64_t ticket, std::string_view record);
std::expected<OutgoingPacket, int> rewrite_order(std::uint64_t ticket, std::span<const std::string> records);

// The journal's side: an order with its record or records in memory. An errno: EBADMSG when it makes no sense.
struct ReceivedOrder {
    JournalOrder order;
    std::vector<std::string> records;
    int error_number = 0;
};
ReceivedOrder receive_order(const Packet& packet);

}  // namespace slab::daemon
