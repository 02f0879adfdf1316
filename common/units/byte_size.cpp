#include "common/units/byte_size.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace slab {
namespace {

struct Unit {
    std::string_view name;
    double bytes;
};

constexpr std::array<Unit, 11> units{{
    {"", 1},
    {"B", 1},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1024.0 * 1024},
    {"GiB", 1024.0 * 1024 * 1024},
    {"TiB", 1024.0 * 1024 * 1024 * 1024},
    {"KB", 1e3},
}};

}  // namespace

std::optional<std::int64_t> parse_byte_size(std::string_view text, std::int64_t whole) {
    double number = 0;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || !std::isfinite(number) || number < 0) {
        return std::nullopt;
    }
    std::string_view unit(rest, text.data() + text.size());
    while (unit.starts_with(' ')) {
        unit.remove_prefix(1);
    }
    double scale = -1;
    if (unit == "%") {
        scale = static_cast<double>(whole) / 100;
    }
    for (const Unit& known : units) {
        if (known.name == unit) {
            scale = known.bytes;
        }
    }
    const double bytes = number * scale;
    if (scale < 0 || bytes >= 9.2e18) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(bytes);
}

std::string byte_size_text(std::int64_t bytes) {
    static constexpr std::array<std::string_view, 6> names{"B", "kB", "MB", "GB", "TB", "PB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < names.size()) {
        value /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, names[unit]);
}

}  // namespace slab
