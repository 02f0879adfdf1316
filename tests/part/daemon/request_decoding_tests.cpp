#include "daemon/session/request_decoding.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>

using namespace slab;
using namespace slab::daemon;

namespace {

Message message_of(const char* text, int descriptors) {
    Message message{Json::parse(text), {}};
    for (int i = 0; i < descriptors; ++i) {
        message.descriptors.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
    }
    return message;
}

constexpr const char* good = R"({"kernel":"zoom","parameters":{"factor":[2,2.5]},
    "inputs":[{"dtype":">i2","shape":[3,4],"order":"F","descriptor":1,"offset":128}],
    "output":{"descriptor":0,"offset":4096,"header":"k05VTVBZ"},"priority":-3,"max_memory":"1GiB"})";

}  // namespace

TEST_CASE("a job request is decoded with its descriptors in the order inputs, output") {
    Message message = message_of(good, 2);
    const int input = message.descriptors[1].get();
    const auto request = decode_job_request(message, Descriptors::required);
    REQUIRE(request.has_value());
    CHECK(request->inputs.front().byte_order == ByteOrder::big);
    CHECK(request->inputs.front().offset == 128);
    CHECK(request->files.size() == 2);
    CHECK(request->files.front().get() == input);
    CHECK(request->output->header == "\x93NUMPY");
    CHECK(request->priority == -3);
    CHECK_FALSE(request->keep);
}

TEST_CASE("parameters may be booleans, lists and tables") {
    Message message = message_of(
        R"({"inputs":[],"parameters":{"a":true,"b":[1,2.5],"c":[[1,"nan"],[0,1]],
            "d":{"rows":1,"columns":1,"float64":"AAAAAAAA+D8="}}})",
        0);
    const auto request = decode_job_request(message, Descriptors::none);
    REQUIRE(request.has_value());
    REQUIRE(request->steps[0].parameters.size() == 4);
    CHECK(std::get<std::string>(request->steps[0].parameters[0].values.front()) == "on");
    CHECK(request->steps[0].parameters[1].values.size() == 2);
    CHECK(request->steps[0].parameters[2].table->rows == 2);
    CHECK(*request->steps[0].parameters[3].table == NumberTable{1, 1, {1.5}});
}

TEST_CASE("a list above the most numbers is refused, as rows or not") {
    const std::string numbers = fmt::format("{}", fmt::join(std::vector<int>(10'001), ","));
    for (const std::string& value : {"[" + numbers + "]", "[[" + numbers + "]]"}) {
        Message message = message_of((R"({"inputs":[],"parameters":{"a":)" + value + "}}").c_str(), 0);
        const auto request = decode_job_request(message, Descriptors::none);
        REQUIRE_FALSE(request.has_value());
        CHECK(request.error().because.find("10000") != std::string::npos);
    }
}

TEST_CASE("without an output the result is kept") {
    Message message =
        message_of(R"({"kernel":"zoom","inputs":[{"dtype":"u1","shape":[3],"descriptor":0}]})", 1);
    CHECK(decode_job_request(message, Descriptors::required)->keep);
}

TEST_CASE("requests with nonsense in them are refused") {
    for (
        const char* text :
        {R"({"kernel":"zoom"})", R"({"kernel":"zoom","inputs":3})", R"({"kernel":"zoom","inputs":[3]})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":7}]})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":-1}]})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0},{"dtype":"u1","shape":[3],"descriptor":0}]})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0,"offset":-1}]})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"output":{"descriptor":0}})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"output":{"descriptor":1,"offset":0,"header":"AAAA"}})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"output":{"descriptor":1,"offset":9,"header":"?"}})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"priority":100})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"parameters":[1]})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"parameters":{"a":{"b":1}}})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"parameters":{"a":[[1,2],[3]]}})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"parameters":{"a":[[[1]]]}})",
         R"({"inputs":[{"dtype":"u1","shape":[3],"descriptor":0}],"parameters":{"a":[null]}})"}) {
        CAPTURE(text);
        Message message = message_of(text, 2);
        CHECK_FALSE(decode_job_request(message, Descriptors::required).has_value());
    }
}
