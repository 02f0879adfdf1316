#pragma once

#include "common/errors/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slab {

inline constexpr std::string_view gzip_magic = "\x1f\x8b";

// Deflate's longest match is 258 bytes and costs two bits at least (zlib's technical notes: 1032 to 1).
inline constexpr std::int64_t most_inflation = 1032;

// The first bytes that an open gzip file (RFC 1952, also of several members) inflates to; fewer where it ends
// before. Reads no more of the file than so many bytes can need, whatever it holds. `name` is for errors, all
// of kind usage: no gzip file, damaged, cut short.
Expected<std::string> inflate_beginning(int descriptor, std::size_t bytes, const std::string& name);

}  // namespace slab
