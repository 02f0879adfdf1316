#include "common/array/grid_map.hpp"

#include <doctest/doctest.h>

using namespace slab;

namespace {

GridMap scaled(int rank, double step, double offset) {
    GridMap map = GridMap::same(rank);
    for (int axis = 0; axis < rank; ++axis) {
        map.at(axis, axis) = step;
        map.offset[static_cast<std::size_t>(axis)] = offset;
    }
    return map;
}

constexpr WorldMatrix world{{{-2, 0, 0, 90}, {0, 3, 0, -60}, {0, 0, 4, 7}}};

}  // namespace

TEST_CASE("maps compose: the second one's output is seen through the first") {
    // 0.5 * (2 * k + 3) + 1
    const GridMap both = scaled(3, 0.5, 1.0) * scaled(3, 2.0, 3.0);
    CHECK(both == scaled(3, 1.0, 2.5));
}

TEST_CASE("a reversed map has the axes of both arrays from the other end") {
    GridMap map{.input_rank = 3, .output_rank = 2};
    map.at(0, 1) = 5.0;
    map.offset = {7.0, 8.0, 9.0};
    const GridMap turned = reversed(map);
    CHECK(turned.at(2, 0) == 5.0);
    CHECK(turned.offset[2] == 7.0);
    CHECK(reversed(turned) == map);
}

TEST_CASE("the world goes along: a finer grid from the middle of the first element") {
    const CarriedWorld finer = carried(world, scaled(3, 0.5, -0.25));
    CHECK(finer.has_meaning);
    CHECK(finer.matrix == WorldMatrix{{{-1, 0, 0, 90.5}, {0, 1.5, 0, -60.75}, {0, 0, 2, 6}}});
}

TEST_CASE("a projection keeps the axis that is gone as its thickness, an axis of time is none of space") {
    GridMap projection{.input_rank = 3, .output_rank = 2};
    projection.at(1, 0) = projection.at(2, 1) = 1.0;  // of x
    projection.offset[0] = 10.0;
    const CarriedWorld flat = carried(world, projection);
    CHECK(flat.has_meaning);
    CHECK(flat.matrix == WorldMatrix{{{0, 0, -2, 70}, {3, 0, 0, -60}, {0, 4, 0, 7}}});

    GridMap over_z{.input_rank = 4, .output_rank = 3};
    over_z.at(0, 0) = over_z.at(1, 1) = over_z.at(3, 2) = 1.0;
    CHECK_FALSE(carried(world, over_z).has_meaning);
}
