#pragma once

#include "common/errors/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slab::daemon {

enum class HugePages : std::uint8_t { attempt, required, off };  // "try", "on", "off"
enum class Populate : std::uint8_t { background, on_demand };
enum class AttachPolicy : std::uint8_t { group, owner, none };

// What config/slabd.toml says, checked and with defaults filled in. Each key is explained there.
struct Settings {
    std::string instance;  // empty: "user-UID"

    struct {
        std::string path;  // empty: the user's runtime directory, or /run/slabd for root
        std::string group;
        unsigned mode = 0660;
    } socket;

    struct {
        std::string size = "40%";
        HugePages huge_pages = HugePages::attempt;
        Populate populate = Populate::background;
    } volume;

    struct {
        int count = 0;  // 0: one per CPU of `cpus`
        std::string cpus = "cores";
        int nice = 10;
        std::chrono::milliseconds tile_deadline{60'000};
    } workers;

    struct {
        std::int64_t bytes = std::int64_t{1} << 20;
    } tiles;

    struct {
        std::vector<std::string> plugins;  // libraries, or folders of them
    } kernels;

    struct {
        std::string memory = "25%";  // of the machine's: for the outputs of guests, beside the volume
        std::chrono::milliseconds idle{60'000};
    } guests;

    struct {
        int most_waiting = 1000;
        std::chrono::milliseconds patience{30'000};
    } queue;

    struct {
        AttachPolicy allow = AttachPolicy::group;
    } attach;

    struct {
        int history = 1000;
        std::chrono::milliseconds expire{std::chrono::hours(24)};  // 0: never
    } results;

    struct {
        std::string kept = "75%";  // of the volume, for each user's kept and interrupted results
    } quota;

    struct {
        std::string folder;  // empty: see state_folder.hpp
        bool enabled = true;
    } journal;

    struct {
        std::string level = "info";
    } log;
};

// Reads a TOML file. An unknown key is an error with its line and the nearest known key; so is a value of the wrong
// type or outside its range.
Expected<Settings> read_settings(const std::string& path);

// The same from text; `source` names it in errors.
Expected<Settings> parse_settings(std::string_view text, std::string_view source);

}  // namespace slab::daemon
