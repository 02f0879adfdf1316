#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "common/protocol/json_text.hpp"
#include "common/protocol/packet.hpp"

#include <string_view>
#include <vector>

namespace slab {

inline constexpr int protocol_version = 1;

// A packet's JSON object with the descriptors beside it. README.md in this folder is the protocol.
struct Message {
    Json body;
    std::vector<UniqueDescriptor> descriptors;
};

// Whatever bytes came in: a message or an error that says what was wrong with them. Reads the memfd of a large
// message, and only when it is one (sealed against shrinking, at most 64 MiB).
Expected<Message> decode_message(Packet packet);

// A packet that is ready to be sent: small objects as they are, large ones in a sealed memfd.
struct OutgoingPacket {
    std::string bytes;
    std::vector<UniqueDescriptor> descriptors;
};
OutgoingPacket encode_message(const Json& body, std::vector<UniqueDescriptor> descriptors = {});

Transfer send_packet(int socket, const OutgoingPacket& packet);

// ARRAY of the protocol.
Json array_to_json(const ArrayDescription& array);
struct ArrayAndOrder {
    ArrayDescription array;
    ByteOrder byte_order;
};
Expected<ArrayAndOrder> array_from_json(const Json& json);

Json error_to_json(const Error& error);
Error error_from_json(const Json& json);

// Values of optional keys: the fallback when the key is absent or of another type.
std::string text_or(const Json& object, std::string_view key, std::string_view fallback = {});
std::int64_t integer_or(const Json& object, std::string_view key, std::int64_t fallback);
double real_or(const Json& object, std::string_view key, double fallback);
bool flag_or(const Json& object, std::string_view key, bool fallback);

}  // namespace slab
