#include "daemon/scheduling/job_planning.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace slab;
using namespace slab::daemon;

namespace {

constexpr std::int64_t MiB = 1 << 20;

GuestOutput doubles(Shape shape, std::vector<std::int64_t> tile = {}) {
    return {{DType::float64, shape, MemoryOrder::c}, std::move(tile)};
}

Expected<JobPlan> plan(const GuestOutput& wanted, Room room = {64 * MiB, true, false, false}) {
    return plan_job({{}, {}, MiB, room, {}, wanted});
}

}  // namespace

TEST_CASE("tiles are as large as they were asked for, and cover every element once") {
    const auto planned = plan(doubles({101, 203}, {7, 50}));
    REQUIRE(planned.has_value());
    const TileGrid tiles = planned->band(0).output_tiles();
    CHECK(tiles.tile_count() == 15 * 5);
    CHECK(planned->tile_count == 15 * 5);
    std::vector<int> covered(101 * 203);
    for (std::int64_t tile = 0; tile < tiles.tile_count(); ++tile) {
        const Box box = tiles.tile_box(tile);
        CHECK(box.extent(0) <= 7);
        CHECK(box.extent(1) <= 50);
        for (std::int64_t y = box.begin[0]; y < box.end[0]; ++y) {
            for (std::int64_t x = box.begin[1]; x < box.end[1]; ++x) {
                ++covered[static_cast<std::size_t>(y * 203 + x)];
            }
        }
    }
    CHECK(covered == std::vector<int>(101 * 203, 1));
}

TEST_CASE("a tile larger than the output is the output") {
    const auto planned = plan(doubles({10, 20}, {1000, 1000}));
    REQUIRE(planned.has_value());
    CHECK(planned->tile_count == 1);
}

TEST_CASE("an output that goes to a file streams in bands of whole tiles") {
    const auto planned = plan(doubles({1000, 1000}, {30, 100}), {2 * MiB, false, true, false});
    REQUIRE(planned.has_value());
    CHECK(planned->streams());
    CHECK(planned->holds_bytes <= 2 * MiB);
    CHECK(planned->cut.count > 1);
    CHECK(planned->cut.rows % 30 == 0);
    std::int64_t rows = 0;
    for (std::int64_t band = 0; band < planned->cut.count; ++band) {
        rows += planned->band(band).output_tiles().domain.extent(0);
    }
    CHECK(rows == 1000);
}

TEST_CASE("what cannot be tiled is refused, each with its reason") {
    const auto refusal = [](const GuestOutput& wanted) {
        const auto planned = plan(wanted);
        REQUIRE_FALSE(planned.has_value());
        return planned.error();
    };
    CHECK(refusal(doubles({0, 5})).what == "the output has no elements");
    CHECK(refusal(doubles({})).what == "the output has no elements");
    CHECK(refusal(doubles({std::int64_t{1} << 57, 2})).kind == ErrorKind::refused);
    CHECK(refusal(doubles({10, 20}, {5})).because == "it has 1 numbers, the output 2 axes");
    CHECK(refusal(doubles({10, 20}, {5, 0})).because == "0 of an axis' elements make no tile");
    CHECK(refusal(doubles({10, 20}, {-5, 1})).kind == ErrorKind::usage);
    CHECK(refusal(doubles({1 << 11, 1 << 11}, {1, 1})).what.starts_with("tiles of (1, 1) are too small"));
    CHECK(refusal(doubles({1 << 20, 1 << 10})).what == "the output does not fit in the guests' memory");
}
