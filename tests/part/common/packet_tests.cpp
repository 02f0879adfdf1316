#include "common/protocol/packet.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace slab;

namespace {

struct SocketPair {
    SocketPair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
        near.reset(ends[0]);
        far.reset(ends[1]);
    }
    UniqueDescriptor near, far;
};

}  // namespace

TEST_CASE("a packet arrives whole, with its descriptors") {
    SocketPair sockets;
    const UniqueDescriptor file(::open("/dev/null", O_RDONLY));
    const std::array numbers{file.get(), sockets.far.get()};
    REQUIRE(send_packet(sockets.near.get(), "hello", numbers) == Transfer::moved);
    Packet packet;
    REQUIRE(receive_packet(sockets.far.get(), packet) == Transfer::moved);
    CHECK(packet.bytes == "hello");
    REQUIRE(packet.descriptors.size() == 2);
    struct stat status {};
    REQUIRE(::fstat(packet.descriptors[0].get(), &status) == 0);
    CHECK(S_ISCHR(status.st_mode));
    CHECK((::fcntl(packet.descriptors[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a packet that is too long is known to be cut short, and its descriptors are closed") {
    SocketPair sockets;
    const UniqueDescriptor file(::open("/dev/null", O_RDONLY));
    const std::string text(longest_packet + 1, 'x');
    const std::array numbers{file.get()};
    REQUIRE(send_packet(sockets.near.get(), text, numbers) == Transfer::moved);
    Packet packet;
    REQUIRE(receive_packet(sockets.far.get(), packet) == Transfer::moved);
    CHECK(packet.cut_short);
    CHECK(packet.descriptors.empty());
}

TEST_CASE("a closed peer and an empty socket are told apart") {
    SocketPair sockets;
    Packet packet;
    CHECK(receive_packet(sockets.far.get(), packet) == Transfer::would_block);
    sockets.near.reset();
    CHECK(receive_packet(sockets.far.get(), packet) == Transfer::closed);
    CHECK(send_packet(sockets.far.get(), "to nobody") == Transfer::closed);
}
