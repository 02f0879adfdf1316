#pragma once

#include <string>
#include <string_view>

namespace slab {

// RFC 4648, section 4, with padding: how a file's header travels inside JSON.
std::string base64_of(std::string_view bytes);

}  // namespace slab
