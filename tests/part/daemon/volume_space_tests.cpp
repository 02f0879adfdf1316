#include "daemon/volume/volume_space.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace slab;
using namespace slab::daemon;

namespace {

// A volume of ten extents whose readers are what the test says.
struct TenExtents {
    std::vector<ExtentRecord> table = std::vector<ExtentRecord>(10);
    std::vector<ByteRange> locked;
    VolumeSpace space{
        table, extent_bytes, [this](ByteRange range) {
            std::vector<ByteRange> inside;
            for (const ByteRange& lock : locked) {
                if (lock.begin < range.end && range.begin < lock.end) {
                    inside.push_back({std::max(lock.begin, range.begin), std::min(lock.end, range.end)});
                }
            }
            return inside;
        }};
};

}  // namespace

TEST_CASE("a run is whole extents, and nobody else gets it before it is released") {
    TenExtents volume;
    const auto run = volume.space.reserve(1, extent_bytes + 1);
    REQUIRE(run.has_value());
    CHECK(run->end - run->begin == 2 * extent_bytes);
    CHECK(volume.space.use().held == 2 * extent_bytes);
    CHECK_FALSE(volume.space.reserve(2, 9 * extent_bytes).has_value());
    volume.space.release(*run);
    CHECK(volume.space.reserve(2, 10 * extent_bytes).has_value());
}

TEST_CASE("an extent that a reader holds is given to nobody until the reader has gone") {
    TenExtents volume;
    const auto run = volume.space.reserve(1, 4 * extent_bytes);
    volume.locked = {{run->begin, run->begin + 10}};
    volume.space.release(*run);
    CHECK(volume.space.use().lingering == extent_bytes);
    CHECK_FALSE(volume.space.reserve(2, 10 * extent_bytes).has_value());
    CHECK_FALSE(volume.space.collect_lingering());
    volume.locked.clear();
    CHECK(volume.space.collect_lingering());
    CHECK(volume.space.reserve(2, 10 * extent_bytes).has_value());
}

TEST_CASE("warm memory is given out before cold") {
    TenExtents volume;
    volume.space.set_backing(
        {volume.space.everything().begin + 6 * extent_bytes, volume.space.everything().end},
        Backing::huge_pages);
    const auto first =
        volume.space.reserve(1, 6 * extent_bytes);  // splits: only a run with cold extents is long enough
    REQUIRE(first.has_value());
    volume.space.release(*first);
    CHECK(volume.space.idle_memory(extent_bytes).size() == 4);
}

TEST_CASE("an adopted volume has its memory and none of its jobs; what readers hold lingers") {
    std::vector<ExtentRecord> table(4);
    table[1] = {77, Backing::huge_pages, {}};
    table[2] = {77, Backing::small_pages, {}};
    VolumeSpace space(table, extent_bytes, [](ByteRange) {
        return std::vector<ByteRange>{{3 * extent_bytes, 3 * extent_bytes + 100}};
    });
    CHECK(space.use().populated == 2 * extent_bytes);
    CHECK(space.use().held == 0);
    CHECK(space.use().lingering == extent_bytes);
    CHECK(table[1].job == 0);
}

TEST_CASE("runs without memory are named in pieces of the size asked for") {
    TenExtents volume;
    CHECK(volume.space.unpopulated(volume.space.everything(), 4 * extent_bytes).size() == 3);
    volume.space.set_backing(volume.space.everything(), Backing::small_pages);
    CHECK(volume.space.unpopulated(volume.space.everything(), extent_bytes).empty());
}
