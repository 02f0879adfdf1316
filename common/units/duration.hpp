#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace slab {

// Reads "250ms", "30s", "5min", "24h", "2d". Empty for anything else, a missing unit included.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// For people: "0.104 s", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string duration_text(std::chrono::duration<double> duration);

}  // namespace slab
