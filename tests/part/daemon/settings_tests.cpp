#include "daemon/settings/settings.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

using namespace slab;
using namespace slab::daemon;

namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(std::string(SLABD_SOURCES "/") + path);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
}

// config/slabd.toml with each "# key = value" made a line of its own, without the instance: its default is the user's.
std::string spelled_out() {
    const std::string text =
        std::regex_replace(content_of("config/slabd.toml"), std::regex("(^|\n)# instance = [^\n]*"), "");
    return std::regex_replace(text, std::regex("(^|\n)# ([a-z_]+ = )"), "$1$2");
}

}  // namespace

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

TEST_CASE("plug-ins are a list of absolute paths") {
    const auto settings = parse_settings("kernels.plugins = [\"/opt/a.so\", \"/opt/more\"]", "test");
    REQUIRE(settings.has_value());
    CHECK(settings->kernels.plugins == std::vector<std::string>{"/opt/a.so", "/opt/more"});
    for (const char* text :
         {"kernels.plugins = [\"a.so\"]", "kernels.plugins = \"/opt/a.so\"", "kernels.plugins = [1]"}) {
        const auto refused = parse_settings(text, "test");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().because == "it takes a list of absolute paths, [\"/opt/lab/kernels.so\"]");
    }
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

TEST_CASE("the commented keys of slabd.toml are known, and at their defaults") {
    const auto settings = parse_settings(spelled_out(), "slabd.toml");
    if (!settings) {
        FAIL(to_text(settings.error()));
    }
    const Settings defaults;
    // "/run/slabd/slabd.sock" there stands for three defaults.
    CHECK(settings->socket.group == defaults.socket.group);
    CHECK(settings->socket.mode == defaults.socket.mode);
    CHECK(settings->volume.size == defaults.volume.size);
    CHECK(settings->volume.huge_pages == defaults.volume.huge_pages);
    CHECK(settings->volume.populate == defaults.volume.populate);
    CHECK(settings->workers.count == defaults.workers.count);
    CHECK(settings->workers.cpus == defaults.workers.cpus);
    CHECK(settings->workers.nice == defaults.workers.nice);
    CHECK(settings->workers.tile_deadline == defaults.workers.tile_deadline);
    CHECK(settings->tiles.bytes == defaults.tiles.bytes);
    CHECK(settings->queue.most_waiting == defaults.queue.most_waiting);
    CHECK(settings->queue.patience == defaults.queue.patience);
    CHECK(settings->attach.allow == defaults.attach.allow);
    CHECK(settings->results.history == defaults.results.history);
    CHECK(settings->results.expire == defaults.results.expire);
    CHECK(settings->quota.kept == defaults.quota.kept);
    CHECK(settings->journal.folder == defaults.journal.folder);
    CHECK(settings->journal.enabled == defaults.journal.enabled);
    CHECK(settings->log.level == defaults.log.level);
}

TEST_CASE("slabd.toml has every key") {
    std::set<std::string> known;
    const std::string source = content_of("daemon/settings/settings.cpp");
    const std::regex entry("\\n        \\{\"([a-z_.]+)\", \"");
    for (std::sregex_iterator found(source.begin(), source.end(), entry), end; found != end; ++found) {
        known.insert((*found)[1]);
    }
    REQUIRE(known.contains("volume.size"));  // else the table has changed its looks
    REQUIRE(known.size() >= 20);

    std::set<std::string> documented;
    std::string table;
    const std::string text = content_of("config/slabd.toml");
    const std::regex line("\\n(?:\\[([a-z]+)\\]|# ([a-z_]+) = )");
    for (std::sregex_iterator found(text.begin(), text.end(), line), end; found != end; ++found) {
        if ((*found)[1].matched) {
            table = (*found)[1].str() + ".";
        } else {
            documented.insert(table + (*found)[2].str());
        }
    }
    CHECK(documented == known);
}
