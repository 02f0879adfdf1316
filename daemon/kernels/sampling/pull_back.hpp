#pragma once

#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

// The axes of space, in the order in which they lie in memory; an array of fewer has the last of them.
inline constexpr std::size_t space_axes = 3;
using SpaceExtents = std::array<std::int64_t, space_axes>;

// Where an output element looks: source coordinate = matrix * output index + offset, axes in memory order (z, y, x),
// samples at whole coordinates.
struct PullBack {
    std::array<std::array<double, space_axes>, space_axes> matrix{};
    std::array<double, space_axes> offset{};
};

// The coordinates along one line of the output (z and y fixed). Evaluated from indices of the whole array, in the order
// in which scipy adds, without an accumulation: an element has the same coordinate, to the last bit, in every tile.
struct LineCoordinates {
    std::array<double, space_axes> base{};
    std::array<double, space_axes> step{};
    std::array<double, space_axes> offset{};

    double at(std::size_t axis, std::int64_t x) const {
        return (base[axis] + step[axis] * static_cast<double>(x)) + offset[axis];
    }
};

inline LineCoordinates line_coordinates(const PullBack& pull_back, std::int64_t z, std::int64_t y) {
    LineCoordinates line;
    line.offset = pull_back.offset;
    for (std::size_t axis = 0; axis < space_axes; ++axis) {
        const auto& row = pull_back.matrix[axis];
        line.base[axis] = row[0] * static_cast<double>(z) + row[1] * static_cast<double>(y);
        line.step[axis] = row[2];
    }
    return line;
}

// Of the line's elements [within.begin, within.end) those whose coordinate along the axis, plus `shift`, lies in
// [lowest, highest]: one range, since a coordinate never turns back along a line, rounding included.
AxisRange elements_between(const LineCoordinates& line, std::size_t axis, double shift, double lowest,
                           double highest, AxisRange within);

}  // namespace slab::kernels
