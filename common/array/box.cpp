#include "common/array/box.hpp"

namespace slab {

Box whole(const Shape& shape) {
    return {shape.rank, {}, shape.extents};
}

std::int64_t element_count(const Box& box) {
    std::int64_t count = 1;
    for (int axis = 0; axis < box.rank; ++axis) {
        count *= box.extent(axis);
    }
    return count;
}

std::string to_text(const Box& box) {
    std::string text = "[";
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(box.rank); ++axis) {
        text +=
            (axis == 0 ? "" : ", ") + std::to_string(box.begin[axis]) + ":" + std::to_string(box.end[axis]);
    }
    return text + "]";
}

}  // namespace slab
