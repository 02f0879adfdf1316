#pragma once

#include "common/array/shape.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace slab {

// A half-open box of an array: begin[axis] <= index < end[axis].
struct Box {
    int rank = 0;
    std::array<std::int64_t, max_rank> begin{};
    std::array<std::int64_t, max_rank> end{};

    std::int64_t extent(int axis) const {
        return end[static_cast<std::size_t>(axis)] - begin[static_cast<std::size_t>(axis)];
    }
    bool operator==(const Box&) const = default;
};

// The box that covers a whole array.
Box whole(const Shape& shape);

std::int64_t element_count(const Box& box);

// As a numpy index: "[0:16, 1024:2048]".
std::string to_text(const Box& box);

}  // namespace slab
