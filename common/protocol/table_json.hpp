#pragma once

#include "common/array/number_table.hpp"
#include "common/errors/error.hpp"
#include "common/protocol/json_text.hpp"

namespace slab {

// TABLE of the protocol: a list of rows, or packed. A reader of JSON takes its time for each number in a list (100 ms for
// 80,000), so that lists are bounded and large tables travel packed: {"rows", "columns", "float64": base64}.
inline constexpr std::int64_t most_listed_numbers = 10'000;

// Whether this is meant to be a table: an object, or a list with lists in it.
bool is_table(const Json& json);

// Errors of kind usage, which say what is wrong with which row; `name` is the parameter's.
Expected<NumberTable> table_from_json(const Json& json, const std::string& name);

// As lists where a person might read it, else packed: bit for bit, non-finite numbers too.
Json table_to_json(const NumberTable& table);

// For people: small tables as lists, of others {"rows", "columns"}.
Json table_summary(const NumberTable& table);

// Beyond this many numbers nobody reads them.
inline constexpr std::int64_t most_told_numbers = 64;

// Non-finite numbers are text.
Json real_to_json(double value);

}  // namespace slab
