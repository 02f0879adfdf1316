#include "daemon/session/pipeline_decoding.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace slab;
using namespace slab::daemon;

namespace {

Json step(const char* name, const std::vector<Json>& inputs) {
    return {{"name", name}, {"kernel", "zoom"}, {"parameters", {{"factor", 2}}}, {"inputs", inputs}};
}

Json file(int number) {
    return {{"input", number}};
}

Json output_of(const char* name) {
    return {{"step", name}};
}

std::string what_is_wrong(const Json& steps, std::size_t inputs = 1) {
    const auto decoded = decode_steps(steps, inputs);
    return decoded ? "" : decoded.error().what + " / " + decoded.error().because;
}

bool contains(const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("steps are put in the order in which they can be done, and keep their inputs") {
    const auto steps =
        decode_steps(Json::array({step("last", {output_of("left"), output_of("right")}),
                                  step("right", {output_of("first"), file(1)}),
                                  step("left", {output_of("first")}), step("first", {file(0)})}),
                     2);
    REQUIRE(steps.has_value());
    std::vector<std::string> names;
    for (const GivenStep& one : *steps) {
        names.push_back(one.name);
    }
    CHECK(names == std::vector<std::string>{"first", "right", "left", "last"});
    CHECK((*steps)[1].inputs[0].from == StepInput::From::step);
    CHECK((*steps)[1].inputs[0].number == 0);
    CHECK((*steps)[1].inputs[1].from == StepInput::From::input);
    CHECK((*steps)[1].inputs[1].number == 1);
    CHECK((*steps)[3].inputs[0].number == 2);
    CHECK((*steps)[3].inputs[1].number == 1);
    CHECK((*steps)[0].parameters.size() == 1);
}

TEST_CASE("what is no pipeline is refused by name") {
    CHECK(contains(what_is_wrong(Json::array()), "the steps cannot be read"));
    CHECK(contains(what_is_wrong(Json::array({1})), "step 1 is no object"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {output_of("b")}), step("b", {output_of("a")})}), 0),
                   "a <- b <- a"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {output_of("a")})}), 0), "a <- a"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {file(0)}), step("a", {output_of("a")})})),
                   "two steps are called 'a'"));
    CHECK(contains(what_is_wrong(Json::array({step("smooth", {file(0)}), step("b", {output_of("smoth")})})),
                   "'smoth', which is no step"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {file(0)}), step("b", {file(0)})})),
                   "no step takes the output of a, b"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {file(0)})}), 2), "no step takes input 2"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {file(3)})})), "has an input that cannot be read"));
    Json no_list = Json::array({step("a", {file(0)})});
    no_list[0]["inputs"] = 3;
    CHECK(contains(what_is_wrong(no_list), "has no list of inputs"));
    CHECK(contains(what_is_wrong(Json::array({step("a", {Json{{"input", "x"}}})})), "cannot be read"));
    Json many = Json::array({step("0", {file(0)})});
    for (int i = 1; i <= 32; ++i) {
        many.push_back(step(std::to_string(i).c_str(), {output_of(std::to_string(i - 1).c_str())}));
    }
    CHECK(contains(what_is_wrong(many), "1 to 32"));
    many.erase(32);
    CHECK(what_is_wrong(many).empty());
}

TEST_CASE("a long pipeline that ends in a cycle is seen through in no time") {
    Json steps = Json::array();
    for (int i = 0; i < 32; ++i) {
        std::vector<Json> inputs;
        for (int other = 0; other < 8; ++other) {
            inputs.push_back(output_of(std::to_string((i + other) % 32).c_str()));
        }
        steps.push_back(step(std::to_string(i).c_str(), inputs));
    }
    CHECK(contains(what_is_wrong(steps, 0), "has a cycle"));
}
