#include "common/units/duration.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace slab {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    double number = 0;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || !std::isfinite(number) || number < 0) {
        return std::nullopt;
    }
    const std::string_view unit(rest, text.data() + text.size());
    const double scale = unit == "ms"    ? 1
                         : unit == "s"   ? 1e3
                         : unit == "min" ? 60e3
                         : unit == "h"   ? 3600e3
                         : unit == "d"   ? 86400e3
                                         : -1;
    constexpr double hundred_years_ms = 3.2e12;
    if (scale < 0 || number * scale > hundred_years_ms) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(number * scale));
}

std::string duration_text(std::chrono::duration<double> duration) {
    const double seconds = duration.count();
    if (seconds < 10) {
        return fmt::format("{:.3f} s", seconds);
    }
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60) {
        return fmt::format("{} s", whole);
    }
    if (whole < 3600) {
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    }
    if (whole < 86400) {
        return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
    }
    return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

}  // namespace slab
