#include "daemon/settings/settings.hpp"

#include <doctest/doctest.h>

using namespace slab;
using namespace slab::daemon;

TEST_CASE("an empty configuration is the defaults") {
    const auto settings = parse_settings("", "test");
    REQUIRE(settings.has_value());
    CHECK(settings->volume.size == "40%");
    CHECK(settings->tiles.bytes == 1 << 20);
}

TEST_CASE("every kind of value is read") {
    const auto settings = parse_settings(R"(
        instance = "lab-3"
        [socket]
        mode = "0600"
        [volume]
        size = "6GiB"
        huge_pages = "on"
        [workers]
        count = 3
        tile_deadline = "250ms"
        [attach]
        allow = "owner"
    )",
                                         "test");
    REQUIRE(settings.has_value());
    CHECK(settings->instance == "lab-3");
    CHECK(settings->socket.mode == 0600);
    CHECK(settings->volume.huge_pages == HugePages::required);
    CHECK(settings->workers.count == 3);
    CHECK(settings->workers.tile_deadline.count() == 250);
    CHECK(settings->attach.allow == AttachPolicy::owner);
}

TEST_CASE("an unknown key is named with its line and the nearest key") {
    const auto settings = parse_settings("[volume]\nsize = \"1GiB\"\nhuge_page = \"on\"\n", "lab.toml");
    REQUIRE_FALSE(settings.has_value());
    CHECK(settings.error().what.find("lab.toml, line 3") != std::string::npos);
    CHECK(settings.error().what.find("volume.huge_page") != std::string::npos);
    CHECK(settings.error().remedy.find("volume.huge_pages") != std::string::npos);
}

TEST_CASE("an unknown table is an error although it is empty") {
    const auto settings = parse_settings("[volum]\n", "test");
    REQUIRE_FALSE(settings.has_value());
    CHECK(settings.error().remedy == "Did you mean 'volume'?");
}

TEST_CASE("a value of the wrong type or outside its range is refused with what the key takes") {
    for (const char* text :
         {"[volume]\nsize = 5", "[volume]\nsize = \"much\"", "[workers]\ncount = -1",
          "[workers]\ncount = \"two\"", "[socket]\nmode = \"999\"", "[attach]\nallow = true",
          "instance = \"a/b\"", "instance = \"\"", "[tiles]\nbytes = \"0\"", "volume = 3",
          "[log]\nlevel = \"loud\"", "[workers]\ntile_deadline = \"60\""}) {
        CAPTURE(text);
        CHECK_FALSE(parse_settings(text, "test").has_value());
    }
}

TEST_CASE("a file that is not TOML is refused with the line") {
    const auto settings = parse_settings("[volume]\nsize = = 3\n", "bad.toml");
    REQUIRE_FALSE(settings.has_value());
    CHECK(settings.error().what.find("line 2") != std::string::npos);
}
