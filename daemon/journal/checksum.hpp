#pragma once

#include <cstdint>
#include <string_view>

namespace slab::daemon {

// CRC-32C (Castagnoli; RFC 3720, appendix B.4). `before` is the checksum of the bytes in front: 0 at the start.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace slab::daemon
