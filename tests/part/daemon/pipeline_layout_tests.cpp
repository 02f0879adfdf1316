#include "tests/part/daemon/job_plan_requests.hpp"

#include "daemon/scheduling/band_layout.hpp"
#include "daemon/scheduling/job_planning.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

using namespace slab;
using namespace slab::daemon;
using namespace slab::test;

TEST_CASE("a kernel that gathers goes along what it gathers in, and its output waits for the last band") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.steps[0].kernel = &sum_kernel;
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->streams());
    CHECK(plan->holds_bytes <= 8 * mib);
    CHECK(plan->ring.output_at == -1);
    REQUIRE(plan->cut.count > 2);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    std::int64_t row = 0;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        const bool is_last = number + 1 == plan->cut.count;
        CHECK(band.phases[0].domain.begin[0] == row);
        row = band.phases[0].domain.end[0];
        CHECK(band.inputs[0].begin == band.phases[0].domain.begin[0] * gathered * row_bytes);
        CHECK(band.inputs[0].end == std::min<std::int64_t>(203, row * gathered) * row_bytes);
        CHECK(band.targets[0] == ByteSpan{0, 51 * 2 * 8});  // whole, whichever band it is
        CHECK(band.phases[1].tile_count() == (is_last ? 1 : 0));
        CHECK(band.output().bytes() == (is_last ? 16 : 0));
    }
    CHECK(row == 51);
}

TEST_CASE("the steps of a pipeline go through the bands together, each with the halo of those after it") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.steps.push_back({"again", &halo_kernel, {}, {{StepInput::From::step, 0}}});
    request.room.most_bytes = 24 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->streams());
    CHECK(plan->phase_count() == 2);
    REQUIRE(plan->cut.count > 2);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    const auto group_begin = [](std::int64_t row) { return std::max<std::int64_t>(0, row) / group * group; };
    const auto group_end = [](std::int64_t row) {
        return std::min<std::int64_t>(203, (row + group - 1) / group * group);
    };
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        const std::int64_t begin = band.output().begin / row_bytes;
        const std::int64_t end = band.output().end / row_bytes;
        CHECK(band.targets[0] ==
              ByteSpan{group_begin(begin - halo) * row_bytes, group_end(end + halo) * row_bytes});
        CHECK(band.inputs[0].begin == std::max<std::int64_t>(0, band.targets[0].begin - halo * row_bytes));
    }
}

TEST_CASE("steps behind a kernel that gathers wait for its last band") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.steps[0].kernel = &sum_kernel;
    request.steps.push_back({"again", &halo_kernel, {}, {{StepInput::From::step, 0}}});
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->cut.phase == 0);
    CHECK(plan->holds_bytes <= 8 * mib);
    CHECK(plan->ring.output_at == -1);
    REQUIRE(plan->cut.count > 2);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    std::int64_t row = 0;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        const bool is_last = number + 1 == plan->cut.count;
        CHECK(band.phases[0].domain.begin[0] == row);
        row = band.phases[0].domain.end[0];
        CHECK(band.inputs[0].begin == band.phases[0].domain.begin[0] * gathered * row_bytes);
        CHECK(band.inputs[0].end == std::min<std::int64_t>(203, row * gathered) * row_bytes);
        CHECK(band.phases[1].tile_count() == (is_last ? 1 : 0));
        CHECK(band.phases[2].tile_count() == (is_last ? 1 : 0));
    }
    CHECK(row == 51);
}

TEST_CASE("what steps behind a kernel that gathers read beside its output is there whole") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.steps.push_back({"sum", &sum_kernel, {}, {{StepInput::From::step, 0}}});
    request.steps.push_back({"again", &halo_kernel, {}, {{StepInput::From::step, 0}}});
    constexpr std::int64_t input_bytes = std::int64_t{203} * 64 * 1024 * 2;
    request.room.most_bytes = input_bytes;
    CHECK_FALSE(plan_job(request).has_value());

    request.room.most_bytes = 2 * input_bytes + 16 * mib;
    const auto plan = plan_job(request);
    REQUIRE(plan.has_value());
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        CHECK(plan->band(number).inputs[0] == ByteSpan{0, input_bytes});
    }
}

TEST_CASE("a step's output gives its place to a later one when nobody reads it any more") {
    JobPlanRequest request = halo_request({64, 64 * 1024});
    for (std::size_t step = 0; step < 5; ++step) {
        request.steps.push_back({"again", &halo_kernel, {}, {{StepInput::From::step, step}}});
    }
    constexpr std::int64_t array = std::int64_t{64} * 64 * 1024 * 2;
    const auto chain = plan_job(request);
    REQUIRE(chain.has_value());
    CHECK(chain->work.bytes == 2 * array);  // in turns

    request.steps.back().inputs = {{StepInput::From::step, 0}};
    request.steps[4].inputs = {{StepInput::From::step, 0}};  // nothing but step 0's output is read at the end
    const auto kept = plan_job(request);
    REQUIRE(kept.has_value());
    CHECK(kept->work.bytes == 3 * array);
}

TEST_CASE("of a pipeline whose last kernel gathers, as of all others, bands cover everything once") {
    JobPlanRequest request = halo_request({403, 64 * 1024});
    request.steps.push_back({"sum", &sum_kernel, {}, {{StepInput::From::step, 0}}});
    request.room.most_bytes = 16 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->cut.phase == 1);
    CHECK(plan->phase_count() == 3);
    std::int64_t row = 0;
    std::int64_t tiles = 0;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        CHECK(band.phases[1].domain.begin[0] == row);
        row = band.phases[1].domain.end[0];
        tiles += band.tile_count();
    }
    CHECK(row == 101);
    CHECK(tiles == plan->tile_count);
}
