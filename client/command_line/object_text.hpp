#pragma once

#include <string>

namespace slab {

// A JSON object for people: one "key  value" a line, sizes and durations by the endings of their keys
// (_bytes, _s), nested objects indented, lists of objects as tables. For answers whose keys the client does
// not know.
std::string object_text(const std::string& json);

}  // namespace slab
