#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slab {

// RFC 4648, section 4, with padding: how a file's header travels inside JSON.
std::string base64_of(std::string_view bytes);

// Empty when the text is not base64. Padding may be missing.
std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace slab
