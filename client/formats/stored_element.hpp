#pragma once

#include "common/array/dtype.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace slab {

// An element as a file holds it, of any byte order.
template <typename Stored>
Stored stored_element(const std::byte* from, bool is_swapped) {
    std::array<std::byte, sizeof(Stored)> bytes;
    std::memcpy(bytes.data(), from, sizeof(Stored));
    if (is_swapped) {
        std::ranges::reverse(bytes);
    }
    return std::bit_cast<Stored>(bytes);
}

// visit(Stored()) with the type that holds a real dtype's elements. False: complex ones, of which nothing is visited.
template <class Visit>
bool visit_real_type(DType dtype, const Visit& visit) {
    switch (dtype) {
    case DType::boolean:
    case DType::uint8: visit(std::uint8_t()); return true;
    case DType::uint16: visit(std::uint16_t()); return true;
    case DType::uint32: visit(std::uint32_t()); return true;
    case DType::uint64: visit(std::uint64_t()); return true;
    case DType::int8: visit(std::int8_t()); return true;
    case DType::int16: visit(std::int16_t()); return true;
    case DType::int32: visit(std::int32_t()); return true;
    case DType::int64: visit(std::int64_t()); return true;
    case DType::float32: visit(float()); return true;
    case DType::float64: visit(double()); return true;
    case DType::complex64:
    case DType::complex128: return false;
    }
    return false;
}

}  // namespace slab
