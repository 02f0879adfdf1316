#pragma once

#include <cstddef>
#include <random>
#include <span>

namespace slab::agreement {

// Any bytes, eight from a number.
void fill_with_noise(std::span<std::byte> memory, std::mt19937_64& random);

}  // namespace slab::agreement
