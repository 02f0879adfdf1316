#include "common/protocol/base64.hpp"
#include "common/protocol/message.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

using namespace slab;

namespace {

Packet packet_of(std::string bytes) {
    Packet packet;
    packet.bytes = std::move(bytes);
    return packet;
}

}  // namespace

TEST_CASE("bytes that are no JSON object are an error, never a crash") {
    for (const std::string& bytes :
         {std::string("{"), std::string("[]"), std::string("\0\1\2", 3), std::string("null"),
          std::string(100'000, '['), std::string("{\"a\":\"\xff\xfe\"}")}) {
        CHECK_FALSE(decode_message(packet_of(bytes)).has_value());
    }
}

TEST_CASE("a large object travels in a memfd and arrives the same, before the other descriptors") {
    const Json body{{"text", std::string(300'000, 'x')}};
    std::vector<UniqueDescriptor> others;
    others.emplace_back(::memfd_create("other", MFD_CLOEXEC));
    OutgoingPacket outgoing = encode_message(body, std::move(others));
    REQUIRE(outgoing.bytes.size() < longest_packet);
    Packet packet = packet_of(outgoing.bytes);
    packet.descriptors = std::move(outgoing.descriptors);
    const auto message = decode_message(std::move(packet));
    REQUIRE(message.has_value());
    CHECK(message->body == body);
    CHECK(message->descriptors.size() == 1);
}

TEST_CASE("a memfd that its sender could shrink is refused") {
    Packet packet = packet_of(R"({"in_descriptor": 2})");
    packet.descriptors.emplace_back(::memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::write(packet.descriptors.front().get(), "{}", 2) == 2);
    CHECK_FALSE(decode_message(std::move(packet)).has_value());
}

TEST_CASE("arrays with nonsense in them are refused") {
    for (const char* text :
         {R"({})", R"({"dtype":"O","shape":[1]})", R"({"dtype":"f4"})", R"({"dtype":"f4","shape":[1.5]})",
          R"({"dtype":"f4","shape":[-1]})", R"({"dtype":"f4","shape":[18446744073709551615]})",
          R"({"dtype":"f4","shape":[1,1,1,1,1,1]})", R"({"dtype":"f8","shape":[2305843009213693952]})",
          R"({"dtype":"f4","shape":[1],"order":"X"})", R"("f4")"}) {
        CAPTURE(text);
        CHECK_FALSE(array_from_json(Json::parse(text)).has_value());
    }
}

TEST_CASE("an array survives the way through JSON") {
    const ArrayDescription array{DType::int16, {4, 5, 6}, MemoryOrder::fortran};
    CHECK(array_from_json(array_to_json(array))->array == array);
}

TEST_CASE("keys of another type than expected give the fallback") {
    const Json body = Json::parse(R"({"job":"one","all":1,"big":18446744073709551615})");
    CHECK(integer_or(body, "job", -1) == -1);
    CHECK(integer_or(body, "big", -1) == -1);
    CHECK_FALSE(flag_or(body, "all", false));
    CHECK(text_or(body, "all", "none") == "none");
}

TEST_CASE("base64 is that of RFC 4648, section 10") {
    CHECK(base64_of("") == "");
    CHECK(base64_of("f") == "Zg==");
    CHECK(base64_of("fo") == "Zm8=");
    CHECK(base64_of("foo") == "Zm9v");
    CHECK(base64_of("foobar") == "Zm9vYmFy");
    CHECK(base64_of("\xff\xfe\xfd") == "//79");
    for (const char* text : {"", "f", "fo", "foo", "foob", "\x93NUMPY"}) {
        CHECK(bytes_of_base64(base64_of(text)) == text);
    }
    CHECK_FALSE(bytes_of_base64("Zg?=").has_value());
}
