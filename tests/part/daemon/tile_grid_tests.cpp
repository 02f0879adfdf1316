#include "daemon/scheduling/tile_grid.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace slab;
using namespace slab::daemon;

TEST_CASE("a tile plan covers every output element exactly once") {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        Shape shape;
        shape.rank = 1 + static_cast<int>(random() % max_rank);
        for (int axis = 0; axis < shape.rank; ++axis) {
            shape[axis] = 1 + static_cast<std::int64_t>(random() % 9);
        }
        kernels::TilePreference preference;
        preference.brick.fill(1 + random() % 3);
        preference.most.fill(1 + random() % 8);
        const TileGrid grid = cut_into_tiles(whole(shape), 4, preference, 4 << random() % 8);
        std::vector<int> visits(static_cast<std::size_t>(element_count(shape)), 0);
        for (std::int64_t number = 0; number < grid.tile_count(); ++number) {
            const Box tile = grid.tile_box(number);
            for (std::int64_t element = 0; element < element_count(tile); ++element) {
                std::int64_t rest = element;
                std::int64_t place = 0;
                std::int64_t stride = 1;
                for (int axis = shape.rank; axis-- > 0;) {
                    const auto index = tile.begin[static_cast<std::size_t>(axis)] + rest % tile.extent(axis);
                    rest /= tile.extent(axis);
                    place += index * stride;
                    stride *= shape[axis];
                }
                ++visits[static_cast<std::size_t>(place)];
            }
        }
        for (const int count : visits) {
            REQUIRE(count == 1);
        }
    }
}

TEST_CASE("a tile has about the bytes that were asked for, whole rows first") {
    const TileGrid grid = cut_into_tiles(whole({2048, 2048, 1024}), 1, {}, 1 << 20);
    CHECK(grid.tile[2] == 1024);
    CHECK(element_count(grid.tile_box(0)) == 1 << 20);
}

TEST_CASE("an enormous array with a tiny tile size still has a bounded number of tiles") {
    const TileGrid grid = cut_into_tiles(whole({std::int64_t{1} << 40, 1 << 17}), 1, {}, 1);
    CHECK(grid.tile_count() <= most_tiles);
    kernels::TilePreference narrow;
    narrow.most.fill(4);
    CHECK(cut_into_tiles(whole({std::int64_t{1} << 40}), 1, narrow, 1).tile_count() <= most_tiles);
}

TEST_CASE("a brick is cut to the bytes that were asked for, but never below the kernel's least") {
    kernels::TilePreference block;
    block.brick = {512, 1024, 1, 1, 1};
    CHECK(element_count(cut_into_tiles(whole({4096, 4096}), 4, block, 1 << 16).tile_box(0)) == 1 << 14);
    block.least = block.brick;
    const TileGrid grid = cut_into_tiles(whole({4096, 700}), 4, block, 1 << 16);
    CHECK(grid.tile[0] == 512);
    CHECK(grid.tile[1] == 700);
}
