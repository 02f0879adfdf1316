#include "tests/agreement/noise.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace slab::agreement {

void fill_with_noise(std::span<std::byte> memory, std::mt19937_64& random) {
    while (!memory.empty()) {
        const std::uint64_t bits = random();
        const std::size_t count = std::min(memory.size(), sizeof(bits));
        std::memcpy(memory.data(), &bits, count);
        memory = memory.subspan(count);
    }
}

}  // namespace slab::agreement
