#include "common/protocol/json_text.hpp"

#include <doctest/doctest.h>

using namespace slab;

namespace {

const std::string long_text(10'000, 'A');

}  // namespace

TEST_CASE("long texts are read as the library reads them, wherever they are") {
    const std::string escaped = long_text + "\\n\\\"" + long_text;
    for (const std::string& text : std::vector<std::string>{
             "{\"a\":\"" + long_text + "\",\"b\":[1,{\"c\" : \"" + long_text + "B\"}],\"d\":\"short\"}",
             "{\"" + long_text + "\":1}", "[\"" + long_text + "\",2]", "{\"a\":\"" + escaped + "\"}",
             "{\"a\":\"\xc3\xa4" + long_text + "\"}", "{\"a\":\"" + long_text + "\",\"a\":3}",
             "{\"a\":\"\\u0001long text 0\",\"b\":\"x\"}", "\"" + long_text + "\""}) {
        CHECK(json_from_text(text) == Json::parse(text));
    }
}

TEST_CASE("a text that stands for a long one brings no other than that of its own message") {
    const std::string text = "{\"a\":\"\\u0001long text 99\",\"b\":\"" + long_text + "\"}";
    CHECK(json_from_text(text)["a"] == "\x01long text 99");
    CHECK(json_from_text(text)["b"] == long_text);
}

TEST_CASE("broken JSON with long texts is discarded") {
    for (const std::string& text :
         {"{\"a\":\"" + long_text, "{\"a\":\"" + long_text + "\"", "{\"a\":\"" + long_text + "\\",
          "{\"a\":\"" + long_text + "\"}}", "{\"a\":\"" + long_text + "\x01\"}",
          "{\"a\":\"" + long_text + "\xff\"}"}) {
        CHECK(json_from_text(text).is_discarded());
    }
}

TEST_CASE("JSON that is nested too deeply is discarded, brackets in texts do not count") {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK_FALSE(json_from_text(nested(deepest_json)).is_discarded());
    CHECK(json_from_text(nested(deepest_json + 1)).is_discarded());
    CHECK(json_from_text(nested(10'000'000)).is_discarded());
    CHECK_FALSE(json_from_text("{\"a\":\"" + std::string(1000, '[') + "\"}").is_discarded());
}
