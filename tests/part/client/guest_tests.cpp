#include "client/library/slab.hpp"
#include "common/protocol/message.hpp"

#include "scratch_folder.hpp"
#include "scripted_daemon.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace slab;
using slab::test::job_json;
using slab::test::ScratchFolder;
using slab::test::ScriptedDaemon;

namespace {

constexpr std::int64_t segment_bytes = 2 << 20;

// A daemon that gives one guest what the test says, and keeps the other end of its socket.
struct OneGuest {
    ScratchFolder folder;
    UniqueDescriptor daemons_end;
    ScriptedDaemon server;

    OneGuest()
        : server(folder / "s", [this](const ScriptedDaemon& daemon, Message& request) {
              if (request.body["request"] == "submit") {
                  daemon.answer(request, {{"job", job_json(5, "running")}});
                  return;
              }
              int ends[2];
              REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
              daemons_end.reset(ends[0]);
              std::vector<UniqueDescriptor> descriptors;
              descriptors.emplace_back(::memfd_create("segment", MFD_CLOEXEC));
              REQUIRE(::ftruncate(descriptors[0].get(), segment_bytes) == 0);
              descriptors.emplace_back(ends[1]);
              daemon.answer(request, {{"cpus", {0}}, {"segment_bytes", segment_bytes}},
                            std::move(descriptors));
          }) {}

    void lend(Json lease) const { send_packet(daemons_end.get(), encode_message(lease)); }

    Json heard() const {
        Packet packet;
        REQUIRE(receive_packet(daemons_end.get(), packet) == Transfer::moved);
        return decode_message(std::move(packet))->body;
    }
};

Json lease(int id, int first, int count) {
    return {{"lease", id},      {"first", first}, {"count", count}, {"band", 0},
            {"begin", {20, 0}}, {"end", {30, 7}}, {"tile", {4, 3}}, {"place", 4096}};
}

GuestRequest wanted() {
    return {.name = "test", .output = {DType::int32, {100, 7}, MemoryOrder::c}};
}

}  // namespace

TEST_CASE("a guest says when it is ready, and that a lease is done when it wants the next") {
    OneGuest daemon;
    auto connection = Connection::open({daemon.folder / "s", "test"});
    REQUIRE(connection.has_value());
    auto job = connection->start_guests(wanted(), 1);
    REQUIRE(job.has_value());
    daemon.lend(lease(11, 0, 9));
    daemon.lend(lease(12, 0, 1));
    std::vector<int> written(10 * 7);
    for (int number = 0; number < 9; ++number) {
        const auto tile = job->guests[0].next_tile();
        REQUIRE(tile.has_value());
        REQUIRE(tile->has_value());
        const Box& box = (*tile)->box;
        CHECK(box.begin[0] == 20 + number / 3 * 4);
        CHECK(box.begin[1] == number % 3 * 3);
        for (std::int64_t y = 0; y < box.extent(0); ++y) {
            for (std::int64_t x = 0; x < box.extent(1); ++x) {
                (*tile)->at<std::int32_t>(y, x) =
                    static_cast<std::int32_t>((box.begin[0] + y) * 7 + box.begin[1] + x);
                ++written[static_cast<std::size_t>((box.begin[0] + y - 20) * 7 + box.begin[1] + x)];
            }
        }
    }
    CHECK(daemon.heard() == Json{{"ready", true}});
    CHECK(written == std::vector<int>(10 * 7, 1));
    const auto* const band = reinterpret_cast<const std::int32_t*>(job->output.data() + 4096);
    for (int element = 0; element < 70; ++element) {
        CHECK(band[element] == 140 + element);
    }
    CHECK(job->guests[0].next_tile()->has_value());
    CHECK(daemon.heard() == Json{{"done", 11}});
    daemon.daemons_end.reset();
    CHECK_FALSE(job->guests[0].next_tile()->has_value());
    CHECK_FALSE(job->guests[0].next_tile()->has_value());
}

TEST_CASE("a lease that lies outside the output or the memory is an error, not a write") {
    for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{{"place", segment_bytes - 100},
                                                                              {"place", -1},
                                                                              {"end", {101, 7}},
                                                                              {"begin", {-1, 0}},
                                                                              {"begin", {30, 0}},
                                                                              {"begin", {20}},
                                                                              {"tile", {0, 3}},
                                                                              {"tile", "x"},
                                                                              {"count", 0},
                                                                              {"count", 10},
                                                                              {"count", INT64_MAX},
                                                                              {"first", -1},
                                                                              {"first", 9},
                                                                              {"first", INT64_MAX},
                                                                              {"lease", "x"}}) {
        CAPTURE(key);
        OneGuest daemon;
        auto connection = Connection::open({daemon.folder / "s", "test"});
        auto job = connection->start_guests(wanted(), 1);
        REQUIRE(job.has_value());
        Json bad = lease(11, 0, 1);
        bad[key] = value;
        daemon.lend(bad);
        CHECK_FALSE(job->guests[0].next_tile().has_value());
        CHECK_FALSE(job->guests[0].next_tile()->has_value());
    }
}

TEST_CASE("a tile is no larger than its band, whatever the lease says") {
    OneGuest daemon;
    auto connection = Connection::open({daemon.folder / "s", "test"});
    auto job = connection->start_guests(wanted(), 1);
    REQUIRE(job.has_value());
    Json large = lease(11, 0, 1);
    large["tile"] = {INT64_MAX, INT64_MAX};
    daemon.lend(large);
    const auto tile = job->guests[0].next_tile();
    REQUIRE(tile.has_value());
    CHECK((*tile)->box == Box{2, {20, 0}, {30, 7}});
}

TEST_CASE("a segment that is smaller than the output is refused") {
    OneGuest daemon;
    auto connection = Connection::open({daemon.folder / "s", "test"});
    CHECK_FALSE(
        connection
            ->start_guests(
                {.name = "too large", .output = {DType::uint8, {segment_bytes + 1}, MemoryOrder::c}}, 1)
            .has_value());
}

TEST_CASE("a failure carries the guest's words and ends its tiles") {
    OneGuest daemon;
    auto connection = Connection::open({daemon.folder / "s", "test"});
    auto job = connection->start_guests(wanted(), 1);
    REQUIRE(job.has_value());
    daemon.lend(lease(11, 0, 1));
    REQUIRE(job->guests[0].next_tile()->has_value());
    std::jthread failing([&] { job->guests[0].fail("it is empty", "no voxels"); });
    CHECK(daemon.heard() == Json{{"ready", true}});
    CHECK(daemon.heard() == Json{{"failed", 11}, {"what", "it is empty"}, {"because", "no voxels"}});
    daemon.daemons_end.reset();
    failing.join();
    CHECK_FALSE(job->guests[0].next_tile()->has_value());
}
