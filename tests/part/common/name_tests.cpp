#include "common/errors/nearest_name.hpp"
#include "common/states/job_state.hpp"
#include "common/states/tile_state.hpp"
#include "common/states/worker_state.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace slab;

TEST_CASE("a mistyped name finds the one that was meant, a foreign one finds none") {
    const std::vector<std::string> names{"factor", "convention", "order", "shape"};
    CHECK(nearest_name("factr", names) == "factor");
    CHECK(nearest_name("conventoin", names) == "convention");
    CHECK(nearest_name("sigma", names).empty());
    CHECK(nearest_name("zomo", std::vector<std::string>{"outer", "zoom"}) == "zoom");
    CHECK(nearest_name(std::string(100'000, 'x'), names).empty());
}

TEST_CASE("an ended job moves nowhere, and every other state can end") {
    for (std::size_t state = 0; state < job_state_count; ++state) {
        CHECK_FALSE(may_move(JobState::ended, static_cast<JobState>(state)));
        CHECK(may_move(static_cast<JobState>(state), JobState::ended) ==
              (static_cast<JobState>(state) != JobState::ended));
    }
}

TEST_CASE("a filled tile stays filled") {
    CHECK_FALSE(may_move(TileState::filled, TileState::waiting));
    CHECK_FALSE(may_move(TileState::filled, TileState::leased));
    CHECK_FALSE(may_move(TileState::waiting, TileState::filled));
}

TEST_CASE("a dead worker can only be replaced") {
    for (std::size_t state = 0; state < worker_state_count; ++state) {
        CHECK(may_move(WorkerState::dead, static_cast<WorkerState>(state)) ==
              (static_cast<WorkerState>(state) == WorkerState::starting));
    }
}
