#include "common/array/dtype.hpp"

#include <array>

namespace slab {
namespace {

struct DTypeFacts {
    std::string_view name;
    std::string_view code;  // numpy's kind and size, without the byte order
    std::size_t bytes;
    std::size_t swap_unit;
};

constexpr std::array<DTypeFacts, dtype_count> facts{{
    {"bool", "b1", 1, 1},
    {"uint8", "u1", 1, 1},
    {"int8", "i1", 1, 1},
    {"uint16", "u2", 2, 2},
    {"int16", "i2", 2, 2},
    {"uint32", "u4", 4, 4},
    {"int32", "i4", 4, 4},
    {"uint64", "u8", 8, 8},
    {"int64", "i8", 8, 8},
    {"float32", "f4", 4, 4},
    {"float64", "f8", 8, 8},
    {"complex64", "c8", 8, 4},
    {"complex128", "c16", 16, 8},
}};

const DTypeFacts& facts_of(DType dtype) {
    return facts[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::size_t size_of(DType dtype) {
    return facts_of(dtype).bytes;
}

std::size_t swap_unit_of(DType dtype) {
    return facts_of(dtype).swap_unit;
}

std::string_view name_of(DType dtype) {
    return facts_of(dtype).name;
}

std::string type_string(DType dtype, ByteOrder order) {
    const char prefix = size_of(dtype) == 1 ? '|' : order == ByteOrder::little ? '<' : '>';
    return prefix + std::string(facts_of(dtype).code);
}

std::optional<DTypeAndOrder> parse_dtype(std::string_view text) {
    ByteOrder order = ByteOrder::little;
    std::string_view code = text;
    if (!code.empty() && std::string_view("<>|=").find(code.front()) != std::string_view::npos) {
        order = code.front() == '>' ? ByteOrder::big : ByteOrder::little;
        code.remove_prefix(1);
    }
    for (std::size_t i = 0; i < facts.size(); ++i) {
        if (facts[i].code == code || facts[i].name == text) {
            return DTypeAndOrder{static_cast<DType>(i), order};
        }
    }
    return std::nullopt;
}

}  // namespace slab
