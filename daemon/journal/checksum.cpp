#include "daemon/journal/checksum.hpp"

#include <array>

namespace slab::daemon {
namespace {

constexpr std::uint32_t reversed_polynomial = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1U) != 0 ? reversed_polynomial : 0U);
        }
        table[byte] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> table = make_table();

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
    std::uint32_t value = ~before;
    for (const char byte : bytes) {
        value = (value >> 8) ^ table[(value ^ static_cast<unsigned char>(byte)) & 0xffU];
    }
    return ~value;
}

}  // namespace slab::daemon
