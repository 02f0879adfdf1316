#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slab {

// Reads "6GiB", "512MiB", "1.5 GB", "4096" or, of the given whole, "50%". Binary units are powers of 1024, decimal
// ones (kB, MB, GB, TB) of 1000. Empty for anything else, negative or beyond 63 bits.
std::optional<std::int64_t> parse_byte_size(std::string_view text, std::int64_t whole);

// For people: "34.4 GB", "512 B" (decimal units, as disks and the rates of this program use).
std::string byte_size_text(std::int64_t bytes);

}  // namespace slab
