#include "common/protocol/message.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace slab {
namespace {

constexpr std::int64_t largest_message = std::int64_t{64} << 20;
constexpr std::string_view in_descriptor_key = "in_descriptor";

Error not_a_message(std::string because) {
    return {ErrorKind::usage, "a packet is not a message of this protocol", std::move(because),
            "Send one JSON object a packet, as common/protocol/README.md describes."};
}

Expected<std::string> read_memfd(int descriptor, std::int64_t bytes) {
    const int seals = ::fcntl(descriptor, F_GET_SEALS);
    struct stat status {};
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(descriptor, &status) != 0 ||
        status.st_size < bytes || bytes < 0 || bytes > largest_message) {
        return std::unexpected(not_a_message("its memfd is not sealed, too short, or above 64 MiB"));
    }
    std::string text(static_cast<std::size_t>(bytes), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count =
            ::pread(descriptor, text.data() + done, text.size() - done, static_cast<off_t>(done));
        if (count <= 0) {
            return std::unexpected(not_a_message("its memfd cannot be read"));
        }
        done += static_cast<std::size_t>(count);
    }
    return text;
}

UniqueDescriptor sealed_memfd(std::string_view text) {
    UniqueDescriptor memfd(::memfd_create("slab-message", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    std::size_t done = 0;
    while (memfd && done < text.size()) {
        const ssize_t count = ::write(memfd.get(), text.data() + done, text.size() - done);
        if (count <= 0) {
            return {};
        }
        done += static_cast<std::size_t>(count);
    }
    if (memfd) {  // F_SEAL_WRITE would have to be waited for (see seal_memory), and nobody else has the memfd
        ::fcntl(memfd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    }
    return memfd;
}

}  // namespace

Expected<Message> decode_message(Packet packet) {
    if (packet.cut_short) {
        return std::unexpected(
            not_a_message(fmt::format("it is longer than {} bytes or carries more than {} descriptors",
                                      longest_packet, most_descriptors)));
    }
    Message message{json_from_text(packet.bytes), std::move(packet.descriptors)};
    if (!message.body.is_object()) {
        return std::unexpected(
            not_a_message(fmt::format("it is not a JSON object of at most {} levels", deepest_json)));
    }
    if (message.body.contains(in_descriptor_key)) {
        if (message.descriptors.empty()) {
            return std::unexpected(not_a_message("it names a memfd and carries none"));
        }
        const auto text =
            read_memfd(message.descriptors.front().get(), integer_or(message.body, in_descriptor_key, -1));
        if (!text) {
            return std::unexpected(text.error());
        }
        message.descriptors.erase(message.descriptors.begin());
        message.body = json_from_text(*text);
        if (!message.body.is_object()) {
            return std::unexpected(not_a_message(
                fmt::format("its memfd holds no JSON object of at most {} levels", deepest_json)));
        }
    }
    return message;
}

OutgoingPacket encode_message(const Json& body, std::vector<UniqueDescriptor> descriptors) {
    // A name with bytes that are no UTF-8 must not throw in the middle of an answer.
    std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() <= longest_packet) {
        return {std::move(text), std::move(descriptors)};
    }
    OutgoingPacket packet{Json{{in_descriptor_key, text.size()}}.dump(), {}};
    packet.descriptors.push_back(sealed_memfd(text));
    std::ranges::move(descriptors, std::back_inserter(packet.descriptors));
    return packet;
}

Transfer send_packet(int socket, const OutgoingPacket& packet) {
    std::vector<int> numbers;
    for (const UniqueDescriptor& descriptor : packet.descriptors) {
        numbers.push_back(descriptor.get());
    }
    return send_packet(socket, packet.bytes, numbers);
}

Json array_to_json(const ArrayDescription& array) {
    Json shape = Json::array();
    for (const std::int64_t extent : array.shape.values()) {
        shape.push_back(extent);
    }
    return {{"dtype", type_string(array.dtype, ByteOrder::little)},
            {"shape", shape},
            {"order", array.order == MemoryOrder::c ? "C" : "F"}};
}

Expected<ArrayAndOrder> array_from_json(const Json& json) {
    const auto refuse = [](std::string what, std::string because) {
        return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), ""});
    };
    if (!json.is_object()) {
        return refuse("an array's description is not an object", "");
    }
    const std::string dtype_text = text_or(json, "dtype");
    const auto dtype = parse_dtype(dtype_text);
    if (!dtype) {
        return refuse(fmt::format("the element type '{}' is not known", dtype_text.substr(0, 40)),
                      "arrays are bool, (u)int8 to (u)int64, float32, float64, complex64 or complex128");
    }
    std::vector<std::int64_t> extents;
    const auto shape_json = json.find("shape");
    if (shape_json == json.end() || !shape_json->is_array()) {
        return refuse("an array's description has no shape", "");
    }
    for (const Json& extent : *shape_json) {
        if (!extent.is_number_integer() ||
            (extent.is_number_unsigned() && extent.get<std::uint64_t>() > INT64_MAX)) {
            return refuse("an array's shape is not a list of whole numbers",
                          shape_json->dump().substr(0, 100));
        }
        extents.push_back(extent.get<std::int64_t>());
    }
    const auto shape = shape_from(extents);
    if (!shape) {
        return refuse("an array's shape cannot be used",
                      shape_json->dump().substr(0, 100) +
                          fmt::format(": 0 to {} extents, none negative", max_rank));
    }
    const std::string order = text_or(json, "order", "C");
    if (order != "C" && order != "F") {
        return refuse(fmt::format("the memory order '{}' is not known", order.substr(0, 40)), "it is C or F");
    }
    ArrayAndOrder result{{dtype->dtype, *shape, order == "C" ? MemoryOrder::c : MemoryOrder::fortran},
                         dtype->order};
    if (!checked_byte_count(result.array)) {
        return refuse("an array is larger than 2^63 bytes", to_text(*shape));
    }
    return result;
}

Json error_to_json(const Error& error) {
    return {{"kind", name_of(error.kind)},
            {"what", error.what},
            {"because", error.because},
            {"remedy", error.remedy}};
}

Error error_from_json(const Json& json) {
    return {error_kind_named(text_or(json, "kind")), text_or(json, "what"), text_or(json, "because"),
            text_or(json, "remedy")};
}

std::string text_or(const Json& object, std::string_view key, std::string_view fallback) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string(fallback);
}

std::int64_t integer_or(const Json& object, std::string_view key, std::int64_t fallback) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) {
        return fallback;
    }
    if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX) {
        return fallback;
    }
    return found->get<std::int64_t>();
}

double real_or(const Json& object, std::string_view key, double fallback) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : fallback;
}

bool flag_or(const Json& object, std::string_view key, bool fallback) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

}  // namespace slab
