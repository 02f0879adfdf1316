#include "daemon/scheduling/tile_scheduler.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace slab::daemon;
using namespace std::chrono_literals;

namespace {

// Leases to one worker and gives back at once, every tile costing 1 ms; tells how many tiles each job had.
std::map<JobId, std::int64_t> serve(TileScheduler& scheduler, int leases) {
    std::map<JobId, std::int64_t> tiles;
    for (int i = 0; i < leases; ++i) {
        const auto lease = scheduler.next_lease(0, 1);
        if (!lease) {
            break;
        }
        tiles[lease->job] += lease->count;
        scheduler.give_back(lease->id, lease->count, lease->count * 1ms);
    }
    return tiles;
}

}  // namespace

TEST_CASE("every tile is leased once and the band is complete with the last one") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 500);
    std::set<std::int64_t> seen;
    bool complete = false;
    while (const auto lease = scheduler.next_lease(0, 4)) {
        CHECK_FALSE(complete);
        for (std::int64_t tile = lease->first; tile < lease->first + lease->count; ++tile) {
            CHECK(seen.insert(tile).second);
        }
        complete = scheduler.give_back(lease->id, lease->count, lease->count * 100us).band_complete;
    }
    CHECK(complete);
    CHECK(seen.size() == 500);
}

TEST_CASE("a lease is a few milliseconds of work once the speed is known, and short at the end") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 1000);
    auto lease = scheduler.next_lease(0, 2);
    CHECK(lease->count == 1);
    scheduler.give_back(lease->id, 1, 100us);
    lease = scheduler.next_lease(0, 2);
    CHECK(lease->count == 30);
    std::int64_t last = 0;
    scheduler.give_back(lease->id, lease->count, lease->count * 100us);
    while ((lease = scheduler.next_lease(0, 2))) {
        last = lease->count;
        scheduler.give_back(lease->id, lease->count, lease->count * 100us);
    }
    CHECK(last == 1);
}

TEST_CASE("two users with jobs of any number share the workers equally") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 100'000);
    scheduler.add_band({2, 1000, 0}, 100'000);
    scheduler.add_band({3, 1000, 0}, 100'000);
    scheduler.add_band({4, 2000, 0}, 100'000);
    auto tiles = serve(scheduler, 4000);
    const double alone = static_cast<double>(tiles[4]);
    const double three = static_cast<double>(tiles[1] + tiles[2] + tiles[3]);
    CHECK(alone / three == doctest::Approx(1.0).epsilon(0.05));
}

TEST_CASE("within a user the lower priority number goes first") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 5}, 1000);
    scheduler.add_band({2, 1000, -5}, 50);
    auto tiles = serve(scheduler, 10);
    CHECK(tiles[1] == 0);
    CHECK(tiles[2] > 0);
}

TEST_CASE("a small job does not wait behind a large one that came before it") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 1'000'000);
    serve(scheduler, 1000);
    scheduler.add_band({2, 1000, 0}, 20);
    auto tiles = serve(scheduler, 14);
    CHECK(tiles[2] == 20);
}

TEST_CASE("after a death the tiles of the lease at work are leased singly, those behind it as before") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 1000);
    auto lease = scheduler.next_lease(0, 1);
    scheduler.give_back(lease->id, 1, 300us);
    const auto at_work = *scheduler.next_lease(0, 1);
    const auto behind = *scheduler.next_lease(0, 1);
    REQUIRE(at_work.count > 1);
    const auto death = scheduler.worker_died(0);
    REQUIRE(death.losses.size() == 1);
    CHECK(death.losses.front().tiles == at_work.count + behind.count);
    CHECK(death.guilty_job == 1);
    CHECK_FALSE(death.poisoned.has_value());
    for (std::int64_t i = 0; i < at_work.count; ++i) {
        CHECK(scheduler.next_lease(0, 1)->count == 1);
    }
    CHECK(scheduler.next_lease(0, 1)->first == behind.first);
}

TEST_CASE("the tile that kills three workers is named, its innocent neighbours are not") {
    TileScheduler scheduler;
    constexpr std::int64_t guilty = 5;
    scheduler.add_band({1, 1000, 0}, 40);
    auto first = scheduler.next_lease(0, 1);
    scheduler.give_back(first->id, 1, 300us);
    for (int deaths = 0;;) {
        const auto lease = scheduler.next_lease(0, 1);
        REQUIRE(lease.has_value());
        if (lease->first <= guilty && guilty < lease->first + lease->count) {
            const auto death = scheduler.worker_died(0);
            if (++deaths == TileScheduler::most_deaths) {
                CHECK(death.poisoned == JobId{1});
                CHECK(death.poison_tile == guilty);
                break;
            }
            CHECK_FALSE(death.poisoned.has_value());
        } else {
            scheduler.give_back(lease->id, lease->count, lease->count * 300us);
        }
    }
}

TEST_CASE("a stopped job gets no more leases, and what comes back unfilled is not counted as filled") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 100);
    const auto lease = scheduler.next_lease(0, 1);
    scheduler.stop(1);
    CHECK_FALSE(scheduler.next_lease(1, 2).has_value());
    const auto returned = scheduler.give_back(lease->id, 0, 0ns);
    CHECK(returned.newly_filled == 0);
    CHECK(scheduler.leases_out(1) == 0);
}

TEST_CASE("a band of which a part is filled leases the rest once, and is complete with it") {
    std::mt19937_64 random(20261121);
    for (const std::int64_t tiles : {1, 63, 64, 65, 500}) {
        std::vector<std::uint64_t> filled(static_cast<std::size_t>((tiles + 63) / 64));
        std::set<std::int64_t> missing;
        for (std::int64_t tile = 0; tile < tiles; ++tile) {
            if (tile == 0 || random() % 3 == 0) {
                missing.insert(tile);
            } else {
                filled[static_cast<std::size_t>(tile / 64)] |= std::uint64_t{1} << (tile % 64);
            }
        }
        TileScheduler scheduler;
        const std::int64_t waiting = scheduler.add_band({1, 1000, 0}, tiles, filled);

        CHECK(waiting == static_cast<std::int64_t>(missing.size()));
        std::set<std::int64_t> leased;
        bool complete = false;
        while (const auto lease = scheduler.next_lease(0, 2)) {
            CHECK_FALSE(complete);
            for (std::int64_t tile = lease->first; tile < lease->first + lease->count; ++tile) {
                CHECK(leased.insert(tile).second);
            }
            complete = scheduler.give_back(lease->id, lease->count, lease->count * 100us).band_complete;
        }
        CHECK(complete);
        CHECK(leased == missing);
    }
}

TEST_CASE("a band that is filled already has nothing that waits") {
    TileScheduler scheduler;
    const std::vector<std::uint64_t> filled{~std::uint64_t{0}, 1};
    CHECK(scheduler.add_band({1, 1000, 0}, 65, filled) == 0);
    CHECK_FALSE(scheduler.has_waiting_tiles());
    CHECK_FALSE(scheduler.next_lease(0, 2).has_value());
}

TEST_CASE("a job's standing is kept from band to band: a new band is no new job") {
    TileScheduler scheduler;
    scheduler.add_band({1, 1000, 0}, 300);
    serve(scheduler, 1000);  // 300 ms: its head start is spent
    scheduler.add_band({1, 1000, 0}, 100'000);
    scheduler.add_band({2, 1000, 0}, 20);
    auto tiles = serve(scheduler, 14);
    CHECK(tiles[2] == 20);
}
