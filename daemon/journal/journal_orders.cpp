#include "daemon/journal/journal_orders.hpp"

#include "daemon/journal/whole_file.hpp"
#include "daemon/process/plain_record.hpp"

#include <cerrno>
#include <optional>
#include <sys/mman.h>

namespace slab::daemon {
namespace {

std::expected<OutgoingPacket, int> in_memfd(JournalOrder order, std::string_view content) {
    order.is_in_memfd = 1;
    UniqueDescriptor memory(::memfd_create("slab-journal", MFD_CLOEXEC));
    if (!memory) {
        return std::unexpected(errno);
    }
    if (const int error = write_whole(memory.get(), 0, content); error != 0) {
        return std::unexpected(error);
    }
    OutgoingPacket packet{std::string(bytes_of(order)), {}};
    packet.descriptors.push_back(std::move(memory));
    return packet;
}

// Nothing when the lengths do not add up.
std::optional<std::vector<std::string>> split_records(std::string_view content) {
    std::vector<std::string> records;
    while (!content.empty()) {
        const auto length = record_of<std::uint32_t>(content);
        if (content.size() < sizeof(length) || content.size() - sizeof(length) < length) {
            return std::nullopt;
        }
        records.emplace_back(content.substr(sizeof(length), length));
        content.remove_prefix(sizeof(length) + length);
    }
    return records;
}

}  // namespace

std::expected<OutgoingPacket, int> append_order(std::uint64_t ticket, std::string_view record) {
    const JournalOrder order{JournalOrderKind::append, 0, ticket};
    if (record.size() > longest_record_in_packet) {
        return in_memfd(order, record);
    }
    OutgoingPacket packet{std::string(bytes_of(order)), {}};
    packet.bytes += record;
    return packet;
}

std::expected<OutgoingPacket, int> rewrite_order(std::uint64_t ticket, std::span<const std::string> records) {
    std::string content;
    for (const std::string& record : records) {
        const auto length = static_cast<std::uint32_t>(record.size());
        content += bytes_of(length);
        content += record;
    }
    return in_memfd({JournalOrderKind::rewrite, 0, ticket}, content);
}

ReceivedOrder receive_order(const Packet& packet) {
    ReceivedOrder received{record_of<JournalOrder>(packet.bytes), {}, EBADMSG};
    const JournalOrder& order = received.order;
    if (packet.cut_short || packet.bytes.size() < sizeof(JournalOrder) ||
        packet.descriptors.size() != order.is_in_memfd) {
        return received;
    }
    std::string content = packet.bytes.substr(sizeof(JournalOrder));
    if (order.is_in_memfd != 0) {
        auto read = whole_file(packet.descriptors.front().get());
        if (!read) {
            received.error_number = read.error();
            return received;
        }
        content = std::move(*read);
    }
    if (order.kind == JournalOrderKind::append) {
        received.records.push_back(std::move(content));
    } else if (auto records = split_records(content); records && order.kind == JournalOrderKind::rewrite) {
        received.records = std::move(*records);
    } else {
        return received;
    }
    received.error_number = 0;
    return received;
}

}  // namespace slab::daemon
