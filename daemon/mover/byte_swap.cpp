#include "daemon/mover/byte_swap.hpp"

#include <bit>
#include <cstring>

namespace slab::daemon {
namespace {

template <typename Unit>
void swap_units(std::byte* begin, std::int64_t bytes) {
    for (std::int64_t at = 0; at + static_cast<std::int64_t>(sizeof(Unit)) <= bytes;
         at += static_cast<std::int64_t>(sizeof(Unit))) {
        Unit unit;
        std::memcpy(&unit, begin + at, sizeof(unit));
        unit = std::byteswap(unit);
        std::memcpy(begin + at, &unit, sizeof(unit));
    }
}

}  // namespace

void swap_bytes(std::byte* begin, std::int64_t bytes, int unit) {
    switch (unit) {
    case 2: swap_units<std::uint16_t>(begin, bytes); break;
    case 4: swap_units<std::uint32_t>(begin, bytes); break;
    case 8: swap_units<std::uint64_t>(begin, bytes); break;
    default: break;
    }
}

}  // namespace slab::daemon
