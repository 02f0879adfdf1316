#pragma once

#include <span>
#include <string>
#include <string_view>

namespace slab {

// The candidate that a mistyped name most likely meant: the one with the fewest edits, at most a third
// of the name's length and at least one. Empty when none is that near.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace slab
