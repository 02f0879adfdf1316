#include "common/array/array_description.hpp"

namespace slab {

std::optional<std::int64_t> checked_byte_count(const ArrayDescription& array) {
    const std::optional<std::int64_t> elements = checked_element_count(array.shape);
    std::int64_t bytes = 0;
    if (!elements ||
        __builtin_mul_overflow(*elements, static_cast<std::int64_t>(size_of(array.dtype)), &bytes)) {
        return std::nullopt;
    }
    return bytes;
}

std::int64_t byte_count(const ArrayDescription& array) {
    return element_count(array.shape) * static_cast<std::int64_t>(size_of(array.dtype));
}

}  // namespace slab
