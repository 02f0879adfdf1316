#include "client/library/slab.hpp"
#include "common/protocol/message.hpp"

#include "scratch_folder.hpp"
#include "scripted_daemon.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <numeric>
#include <set>
#include <thread>

using namespace slab;
using slab::test::job_json;
using slab::test::ScratchFolder;
using slab::test::ScriptedDaemon;

namespace {

// The request borrows the values: no temporary.
const std::vector<std::uint16_t> one_value{1};

JobRequest small_request(const std::vector<std::uint16_t>& values) {
    JobRequest request;
    request.kernel = "zoom";
    request.parameters = {{"factor", std::int64_t{2}},
                          {"big", std::int64_t{1} << 60},
                          {"cval", std::numeric_limits<double>::infinity()},
                          {"scale", std::vector<double>{1.5, 2}},
                          {"mode", std::string("nearest")}};
    request.inputs.push_back(InputArray::from_memory(
        {DType::uint16, Shape{static_cast<std::int64_t>(values.size())}, MemoryOrder::c},
        std::as_bytes(std::span(values))));
    return request;
}

}  // namespace

TEST_CASE("a small job costs one request beside hello, and its end is an event") {
    const ScratchFolder folder;
    Json seen;
    std::string bytes;
    int sealed = 0;
    ScriptedDaemon server(folder / "s", [&](const ScriptedDaemon& daemon, Message& request) {
        seen = request.body;
        bytes.resize(8);
        CHECK(request.descriptors.size() == 1);
        CHECK(::pread(request.descriptors[0].get(), bytes.data(), 8, 0) == 8);
        sealed = ::fcntl(request.descriptors[0].get(), F_GET_SEALS);
        daemon.send({{"event", "job"}, {"job", job_json(5, "running")}});  // may overtake the answer
        daemon.answer(request, {{"job", job_json(5, "loading")}});
        daemon.send({{"event", "job"}, {"job", job_json(4, "ended", "failed")}});
        daemon.send({{"event", "job"}, {"job", job_json(5, "ended", "done")}});
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    CHECK(connection->daemon().version == "9");
    const std::vector<std::uint16_t> values{1, 2, 3, 0x0405};
    const auto ended = connection->run(small_request(values));
    REQUIRE(ended);
    CHECK(ended->id == 5);
    CHECK(ended->outcome == JobStatus::Outcome::done);
    CHECK(server.requests() == 2);
    CHECK(std::memcmp(bytes.data(), values.data(), 8) == 0);
    CHECK((sealed & F_SEAL_WRITE) != 0);
    CHECK(seen["watch"] == true);
    CHECK(seen["inputs"][0] ==
          Json{{"dtype", "<u2"}, {"shape", {4}}, {"order", "C"}, {"descriptor", 0}, {"offset", 0}});
    CHECK(seen["parameters"]["factor"] == 2);
    CHECK(seen["parameters"]["big"] == "1152921504606846976");
    CHECK(seen["parameters"]["cval"] == "inf");
    CHECK(seen["parameters"]["scale"] == Json({1.5, 2.0}));
    CHECK_FALSE(seen.contains("output"));
}

TEST_CASE("a job that fails is its error") {
    const ScratchFolder folder;
    ScriptedDaemon server(folder / "s", [](const ScriptedDaemon& daemon, Message& request) {
        Json job = job_json(5, "ended", "failed");
        job["error"] = {{"kind", "failed"}, {"what", "a tile failed"}, {"because", "b"}, {"remedy", "r"}};
        daemon.answer(request, {{"job", job}});
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    const auto ended = connection->run(small_request(one_value));
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind == ErrorKind::failed);
    CHECK(ended.error().what == "a tile failed");
}

TEST_CASE("an error answer is the request's error, with or without its tag") {
    const ScratchFolder folder;
    ScriptedDaemon server(folder / "s", [](const ScriptedDaemon& daemon, Message& request) {
        const Json error{{"kind", "refused"}, {"what", "no room"}, {"because", ""}, {"remedy", ""}};
        daemon.send(request.body["request"] == "plan" ? Json{{"error", error}}
                                                      : Json{{"error", error}, {"tag", request.body["tag"]}});
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    const auto submitted = connection->submit(small_request(one_value));
    REQUIRE_FALSE(submitted);
    CHECK(submitted.error().what == "no room");
    const auto planned = connection->plan(small_request(one_value));
    REQUIRE_FALSE(planned);
    CHECK(planned.error().kind == ErrorKind::refused);
}

TEST_CASE("several jobs are waited for on one connection, whatever order they end in") {
    const ScratchFolder folder;
    ScriptedDaemon server(folder / "s", [](const ScriptedDaemon& daemon, Message& request) {
        const auto id = request.body["job"].get<int>();
        daemon.answer(request, {{"job", job_json(id, "running")}});
        if (id == 1) {
            daemon.send({{"event", "job"}, {"job", job_json(2, "ended", "cancelled")}});
            daemon.send({{"event", "job"}, {"job", job_json(1, "running")}});
            daemon.send({{"event", "job"}, {"job", job_json(1, "ended", "done")}});
        }
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    int calls = 0;
    const auto first = connection->wait(1, [&calls](const JobStatus&) { ++calls; });
    REQUIRE(first);
    CHECK(first->outcome == JobStatus::Outcome::done);
    CHECK(calls >= 2);
    const auto second = connection->wait(2);
    REQUIRE(second);
    CHECK(second->outcome == JobStatus::Outcome::cancelled);
}

TEST_CASE("a daemon that goes away while a job runs is an interruption") {
    const ScratchFolder folder;
    ScriptedDaemon server(folder / "s", [](const ScriptedDaemon& daemon, Message& request) {
        daemon.answer(request, {{"job", job_json(1, "running")}});
        daemon.leaving_ = true;
    });
    auto connection = Connection::open({folder / "s", "test", std::chrono::milliseconds(0)});
    REQUIRE(connection);
    const auto ended = connection->wait(1);
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind == ErrorKind::interrupted);
    CHECK_FALSE(connection->list());
}

TEST_CASE("waiting stops when the stop descriptor can be read") {
    const ScratchFolder folder;
    ScriptedDaemon server(folder / "s", [](const ScriptedDaemon& daemon, Message& request) {
        daemon.answer(request, {{"job", job_json(1, "running")}});
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    const UniqueDescriptor stop(::eventfd(0, EFD_CLOEXEC));
    connection->stop_when_readable(stop.get());
    const auto ended = connection->wait(1, [&stop](const JobStatus&) { ::eventfd_write(stop.get(), 1); });
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind == ErrorKind::cancelled);
}

TEST_CASE("a request larger than a packet arrives whole, its descriptors behind the memfd") {
    const ScratchFolder folder;
    std::size_t length = 0;
    std::size_t descriptors = 0;
    ScriptedDaemon server(folder / "s", [&](const ScriptedDaemon& daemon, Message& request) {
        length = request.body["name"].get<std::string>().size();
        descriptors = request.descriptors.size();
        daemon.answer(request, {{"job", job_json(1, "ended", "done")}});
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    JobRequest request = small_request(one_value);
    request.name = std::string(200'000, 'n');
    REQUIRE(connection->submit(request));
    CHECK(length == 200'000);
    CHECK(descriptors == 1);
}

TEST_CASE("an output's header travels as base64 and its descriptor behind the inputs'") {
    const ScratchFolder folder;
    Json output;
    ScriptedDaemon server(folder / "s", [&](const ScriptedDaemon& daemon, Message& request) {
        output = request.body["output"];
        daemon.answer(request, {{"job", job_json(1, "queued")}});
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    const UniqueDescriptor file(::memfd_create("out", MFD_CLOEXEC));
    JobRequest request = small_request(one_value);
    request.output = OutputTarget{file.get(), 4096, "foobar"};
    REQUIRE(connection->submit(request));
    CHECK(output == Json{{"descriptor", 1}, {"offset", 4096}, {"header", "Zm9vYmFy"}});
}

TEST_CASE("an attachment shows the array's bytes at a huge page's alignment") {
    const ScratchFolder folder;
    constexpr std::int64_t offset = 4 << 20;
    constexpr std::int64_t size = 8 << 20;
    const UniqueDescriptor volume(::memfd_create("volume", MFD_CLOEXEC));
    REQUIRE(::ftruncate(volume.get(), size) == 0);
    std::vector<float> values(1000);
    std::iota(values.begin(), values.end(), 0.0F);
    REQUIRE(::pwrite(volume.get(), values.data(), 4000, offset) == 4000);
    ScriptedDaemon server(folder / "s", [&](const ScriptedDaemon& daemon, Message& request) {
        std::vector<UniqueDescriptor> descriptors;
        descriptors.emplace_back(::dup(volume.get()));
        daemon.answer(request,
                      {{"dtype", "<f4"},
                       {"shape", {10, 100}},
                       {"order", "C"},
                       {"offset", offset},
                       {"volume_bytes", size}},
                      std::move(descriptors));
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    auto attached = connection->attach(1);
    REQUIRE(attached);
    const Attachment view = std::move(*attached);
    CHECK(view.description() == ArrayDescription{DType::float32, Shape{10, 100}, MemoryOrder::c});
    CHECK(reinterpret_cast<std::uintptr_t>(view.data()) % (2 << 20) == 0);
    CHECK(std::memcmp(view.data(), values.data(), 4000) == 0);
    CHECK(view.bytes().size() == 4000);
}

TEST_CASE("an attachment that does not fit the volume is an error, never a fault") {
    UniqueDescriptor volume(::memfd_create("volume", MFD_CLOEXEC));
    REQUIRE(::ftruncate(volume.get(), 4096) == 0);
    CHECK_FALSE(Attachment::map({DType::uint8, Shape{4097}, MemoryOrder::c}, std::move(volume), 0));
}

TEST_CASE("no daemon, one that has ended, and one that refuses are told apart") {
    const ScratchFolder folder;
    const auto absent = Connection::try_open({folder / "none", "test"});
    REQUIRE(absent);
    CHECK_FALSE(absent->connection);
    CHECK_FALSE(absent->socket_left_behind);

    {
        const ScriptedDaemon ended(folder / "ended", [](const ScriptedDaemon&, Message&) {});
    }
    const auto left = Connection::try_open({folder / "ended", "test"});
    REQUIRE(left);
    CHECK_FALSE(left->connection);
    CHECK(left->socket_left_behind);

    const auto too_long = Connection::try_open({folder / std::string(200, 'x'), "test"});
    REQUIRE_FALSE(too_long);
    CHECK(too_long.error().kind == ErrorKind::no_daemon);
}

TEST_CASE("a job goes on with the next daemon, which gets the very files of submit") {
    const ScratchFolder folder;
    std::vector<ino_t> submitted;
    std::vector<ino_t> resumed;
    Json resume;
    const auto inodes = [](const Message& request) {
        std::vector<ino_t> numbers;
        for (const UniqueDescriptor& descriptor : request.descriptors) {
            struct stat status {};
            ::fstat(descriptor.get(), &status);
            numbers.push_back(status.st_ino);
        }
        return numbers;
    };
    ScriptedDaemon server(folder / "s", [&](const ScriptedDaemon& daemon, Message& request) {
        Json job = job_json(5, "interrupted");
        job["submitted_at"] = 1000.25;
        job["durable"] = true;
        if (request.body["request"] == "submit") {
            submitted = inodes(request);
            job["state"] = "running";
            daemon.answer(request, {{"job", job}});
            daemon.leaving_ = true;
        } else if (request.body["request"] == "show") {
            daemon.answer(request, {{"job", job}});
        } else {
            resumed = inodes(request);
            resume = request.body;
            job["state"] = "running";
            daemon.answer(request, {{"job", job}, {"resumed", true}});
            job["state"] = "ended";
            job["outcome"] = "done";
            daemon.send({{"event", "job"}, {"job", job}});
        }
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    std::vector<DaemonPresence> presence;
    connection->on_presence([&](DaemonPresence now, std::chrono::milliseconds) { presence.push_back(now); });
    const UniqueDescriptor file(::memfd_create("out", MFD_CLOEXEC));
    JobRequest request = small_request(one_value);
    request.output = OutputTarget{file.get(), 0};
    const auto ended = connection->run(request);
    REQUIRE(ended);
    CHECK(submitted.size() == 2);
    CHECK(resumed == submitted);
    CHECK(resume["submitted_at"] == 1000.25);
    CHECK(resume["inputs"] == Json::array({{{"descriptor", 0}}}));
    CHECK(resume["output"] == Json{{"descriptor", 1}});
    CHECK(presence == std::vector{DaemonPresence::lost, DaemonPresence::back});
}

TEST_CASE("a job that kills every daemon is given to a few of them only") {
    const ScratchFolder folder;
    std::set<std::string> submissions;
    ScriptedDaemon server(folder / "s", [&](const ScriptedDaemon& daemon, Message& request) {
        submissions.insert(request.body["submission"].get<std::string>());
        daemon.leaving_ = true;
    });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    const auto ended = connection->run(small_request(one_value));
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind == ErrorKind::interrupted);
    CHECK(submissions.size() == 1);
    CHECK(submissions.begin()->size() == 32);
}

TEST_CASE("waiting for a daemon stops when the stop descriptor can be read") {
    const ScratchFolder folder;
    auto server =
        std::make_unique<ScriptedDaemon>(folder / "s", [](const ScriptedDaemon& daemon, Message& request) {
            daemon.answer(request, {{"job", job_json(1, "running")}});
        });
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    const UniqueDescriptor stop(::eventfd(0, EFD_CLOEXEC));
    connection->stop_when_readable(stop.get());
    connection->on_presence(
        [&](DaemonPresence, std::chrono::milliseconds) { ::eventfd_write(stop.get(), 1); });
    const auto ended = connection->wait(1, [&server](const JobStatus&) {
        server->end_conversation();
        server.reset();
    });
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind == ErrorKind::cancelled);
}

TEST_CASE("a note that is no object or too long is refused before anything is sent") {
    const ScratchFolder folder;
    ScriptedDaemon server(folder / "s", [](const ScriptedDaemon&, Message&) {});
    auto connection = Connection::open({folder / "s", "test"});
    REQUIRE(connection);
    for (const std::string& note :
         {std::string("[]"), std::string("{"), "{\"a\": \"" + std::string(17000, 'x') + "\"}"}) {
        JobRequest request = small_request(one_value);
        request.note = note;
        const auto submitted = connection->submit(request);
        REQUIRE_FALSE(submitted);
        CHECK(submitted.error().kind == ErrorKind::usage);
    }
    CHECK(server.requests() == 1);
}
