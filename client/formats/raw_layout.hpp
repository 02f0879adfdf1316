#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace slab {

// What a file without a header holds.
struct RawLayout {
    ArrayDescription array;
    ByteOrder byte_order = ByteOrder::little;
    std::optional<std::int64_t> offset;  // given: the file may hold more than the array, before and behind
};

// The same as it is typed: --input-dtype uint16 (or ">u2"), --input-shape 64,64,32, --input-order F,
// --input-offset 352.
struct RawOptions {
    std::string dtype;
    std::string shape;
    std::string order;
    std::optional<std::int64_t> offset;

    bool any() const { return !dtype.empty() || !shape.empty() || !order.empty() || offset.has_value(); }
};

// Errors of kind usage: a dtype or shape that is missing or cannot be.
Expected<RawLayout> parse_raw_options(const RawOptions& options);

// "64,64,32", spaces and round brackets allowed; empty text for what is none.
std::optional<Shape> parse_shape(std::string_view text);

}  // namespace slab
