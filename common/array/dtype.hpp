#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slab {

// The element types of an array, named as numpy names them.
enum class DType : std::uint8_t {
    boolean,
    uint8,
    int8,
    uint16,
    int16,
    uint32,
    int32,
    uint64,
    int64,
    float32,
    float64,
    complex64,
    complex128,
};
inline constexpr int dtype_count = 13;

enum class ByteOrder : std::uint8_t { little, big };

// Bytes of one element.
std::size_t size_of(DType dtype);

// Bytes of the unit whose bytes are reversed between little and big endian: half an element for complex types.
std::size_t swap_unit_of(DType dtype);

// numpy's name: "bool", "uint8", ..., "complex128".
std::string_view name_of(DType dtype);

// numpy's array-interface string: "|b1", "<f8", ">u2".
std::string type_string(DType dtype, ByteOrder order);

struct DTypeAndOrder {
    DType dtype;
    ByteOrder order;
};

// Reads a numpy name or array-interface string ("float32", "f4", "<f4", ">i2", "|b1"). Without a byte order:
// little. Empty for any other text.
std::optional<DTypeAndOrder> parse_dtype(std::string_view text);

}  // namespace slab
