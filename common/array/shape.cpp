#include "common/array/shape.hpp"

#include <algorithm>

namespace slab {

Shape::Shape(std::initializer_list<std::int64_t> values) : rank(static_cast<int>(values.size())) {
    std::copy(values.begin(), values.end(), extents.begin());
}

std::optional<Shape> shape_from(std::span<const std::int64_t> values) {
    if (values.size() > max_rank || std::ranges::any_of(values, [](std::int64_t n) { return n < 0; })) {
        return std::nullopt;
    }
    Shape shape;
    shape.rank = static_cast<int>(values.size());
    std::ranges::copy(values, shape.extents.begin());
    return shape;
}

std::optional<std::int64_t> checked_element_count(const Shape& shape) {
    // A zero extent makes the product zero whatever the others are, as in numpy.
    if (std::ranges::find(shape.values(), 0) != shape.values().end()) {
        return 0;
    }
    std::int64_t count = 1;
    for (const std::int64_t extent : shape.values()) {
        if (__builtin_mul_overflow(count, extent, &count)) {
            return std::nullopt;
        }
    }
    return count;
}

std::int64_t element_count(const Shape& shape) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape.values()) {
        count *= extent;
    }
    return count;
}

Shape reversed(const Shape& shape) {
    Shape result = shape;
    std::reverse(result.extents.begin(), result.extents.begin() + result.rank);
    return result;
}

std::string to_text(const Shape& shape) {
    std::string text = "(";
    for (int axis = 0; axis < shape.rank; ++axis) {
        text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
    }
    return text + (shape.rank == 1 ? ",)" : ")");
}

}  // namespace slab
