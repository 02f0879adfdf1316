#pragma once

#include "common/array/dtype.hpp"
#include "common/array/shape.hpp"

#include <cstdint>
#include <optional>

namespace slab {

// Which axis is contiguous in memory: C, the last; Fortran, the first.
enum class MemoryOrder : std::uint8_t { c, fortran };

// What an array is, without where it lies. Elements in the volume are always in this machine's byte order.
struct ArrayDescription {
    DType dtype = DType::uint8;
    Shape shape;
    MemoryOrder order = MemoryOrder::c;

    bool operator==(const ArrayDescription&) const = default;
};

// Empty when the size does not fit in 63 bits.
std::optional<std::int64_t> checked_byte_count(const ArrayDescription& array);

// The same for an array that has been checked already.
std::int64_t byte_count(const ArrayDescription& array);

}  // namespace slab
