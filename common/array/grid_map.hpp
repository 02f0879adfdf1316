#pragma once

#include "common/array/shape.hpp"

#include <array>
#include <cstddef>

namespace slab {

// Where an array's elements lie in the grid of the array that it was made of: index k shows what lay at the coordinate
//   matrix * k + offset
// samples at whole numbers. An axis that stands for something else now (frequencies) has a column of zeros; one that is gone
// (its elements were added up) a row of zeros, and the offset of its middle.
struct GridMap {
    int input_rank = 0;
    int output_rank = 0;
    std::array<std::array<double, max_rank>, max_rank> matrix{};
    std::array<double, max_rank> offset{};

    static GridMap same(int rank);

    double& at(int row, int column) {
        return matrix[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
    }
    double at(int row, int column) const {
        return matrix[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
    }
    bool operator==(const GridMap&) const = default;
};

// `second` leads to the array that `first` starts from.
GridMap operator*(const GridMap& first, const GridMap& second);

// The same with the axes of both arrays counted from the other end.
GridMap reversed(const GridMap& map);

// From the indices of an array's first three axes to mm of the world: the upper rows of a 4 x 4 matrix whose last one is
// 0 0 0 1.
using WorldMatrix = std::array<std::array<double, 4>, 3>;

// The world of an array whose grid lies so in that of an array of this world. An axis of space that it lacks (a picture,
// a projection) is one that is gone, in the order of the input. Nothing when an axis of space is none any more.
struct CarriedWorld {
    bool has_meaning = false;
    WorldMatrix matrix{};
};
CarriedWorld carried(const WorldMatrix& world, const GridMap& map);

}  // namespace slab
