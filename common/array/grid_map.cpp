#include "common/array/grid_map.hpp"

#include <algorithm>

namespace slab {
namespace {

constexpr int space_axes = 3;

using Column = std::array<double, 3>;

Column column_of(const WorldMatrix& world, int axis) {
    const auto a = static_cast<std::size_t>(axis);
    return {world[0][a], world[1][a], world[2][a]};
}

}  // namespace

GridMap GridMap::same(int rank) {
    GridMap map{.input_rank = rank, .output_rank = rank};
    for (int axis = 0; axis < rank; ++axis) {
        map.at(axis, axis) = 1.0;
    }
    return map;
}

GridMap operator*(const GridMap& first, const GridMap& second) {
    GridMap map{.input_rank = first.input_rank, .output_rank = second.output_rank};
    map.offset = first.offset;
    for (int row = 0; row < first.input_rank; ++row) {
        for (int middle = 0; middle < first.output_rank; ++middle) {
            for (int column = 0; column < second.output_rank; ++column) {
                map.at(row, column) += first.at(row, middle) * second.at(middle, column);
            }
            map.offset[static_cast<std::size_t>(row)] +=
                first.at(row, middle) * second.offset[static_cast<std::size_t>(middle)];
        }
    }
    return map;
}

GridMap reversed(const GridMap& map) {
    GridMap turned{.input_rank = map.input_rank, .output_rank = map.output_rank};
    for (int row = 0; row < map.input_rank; ++row) {
        const int from = map.input_rank - 1 - row;
        for (int column = 0; column < map.output_rank; ++column) {
            turned.at(row, column) = map.at(from, map.output_rank - 1 - column);
        }
        turned.offset[static_cast<std::size_t>(row)] = map.offset[static_cast<std::size_t>(from)];
    }
    return turned;
}

CarriedWorld carried(const WorldMatrix& world, const GridMap& map) {
    const int input_axes = std::min(space_axes, map.input_rank);
    CarriedWorld result;
    std::array<bool, space_axes> is_used{};
    for (std::size_t row = 0; row < 3; ++row) {
        result.matrix[row][3] = world[row][3];
        for (int axis = 0; axis < input_axes; ++axis) {
            const auto a = static_cast<std::size_t>(axis);
            result.matrix[row][3] += world[row][a] * map.offset[a];
        }
    }
    for (int column = 0; column < std::min(space_axes, map.output_rank); ++column) {
        bool is_of_space = false;
        for (int axis = 0; axis < input_axes; ++axis) {
            const double step = map.at(axis, column);
            is_of_space = is_of_space || step != 0.0;
            is_used[static_cast<std::size_t>(axis)] = is_used[static_cast<std::size_t>(axis)] || step != 0.0;
            const Column from = column_of(world, axis);
            for (std::size_t row = 0; row < 3; ++row) {
                result.matrix[row][static_cast<std::size_t>(column)] += from[row] * step;
            }
        }
        if (!is_of_space) {
            return {};
        }
    }
    int next = 0;
    for (int column = map.output_rank; column < space_axes; ++column) {
        while (next < space_axes && is_used[static_cast<std::size_t>(next)]) {
            ++next;
        }
        const Column from = column_of(world, std::min(next++, space_axes - 1));
        for (std::size_t row = 0; row < 3; ++row) {
            result.matrix[row][static_cast<std::size_t>(column)] = from[row];
        }
    }
    result.has_meaning = true;
    return result;
}

}  // namespace slab
