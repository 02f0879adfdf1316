#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

namespace slab {

// Key order is kept: answers read as they are documented.
using Json = nlohmann::ordered_json;

// Copying and printing JSON recurse: what is nested deeper could end the process that does it.
inline constexpr int deepest_json = 64;

// Discarded (Json::is_discarded) when it is no JSON, or deeper. Long plain texts, as packed tables are, cost a look at
// each byte: the library alone takes 20 ms for a megabyte, in a supervisor that everybody waits for.
Json json_from_text(std::string_view text);

}  // namespace slab
