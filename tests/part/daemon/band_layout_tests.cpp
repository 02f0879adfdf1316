#include "tests/part/daemon/job_plan_requests.hpp"

#include "common/volume/layout.hpp"
#include "daemon/scheduling/band_layout.hpp"
#include "daemon/scheduling/job_planning.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace slab;
using namespace slab::daemon;
using namespace slab::test;

TEST_CASE("arrays that fit are one band, whole in the volume, unless a ring is preferred") {
    JobPlanRequest request = zoom_request(DType::uint8, {256, 256, 64}, 2.0);
    const auto plan = plan_job(request);
    request.room.prefers_ring = true;
    const auto ring = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK_FALSE(plan->streams());
    CHECK(plan->cut.count == 1);
    CHECK(plan->ring.output_at == -1);
    CHECK(plan->band(0).output() == ByteSpan{0, 8 * 256 * 256 * 64});
    CHECK(plan->band(0).inputs.front() == ByteSpan{0, 256 * 256 * 64});
    REQUIRE(ring.has_value());
    CHECK(ring->streams());
    CHECK(ring->holds_bytes <= round_up(most_slots * (preferred_slot_bytes + page), extent_bytes));
}

TEST_CASE("an exact fit of the room is whole, one extent less streams") {
    JobPlanRequest request = zoom_request(DType::uint8, {256, 256, 64}, 2.0);
    const std::int64_t whole_bytes = plan_job(request)->holds_bytes;
    request.room.most_bytes = whole_bytes;
    CHECK_FALSE(plan_job(request)->streams());
    request.room.most_bytes = whole_bytes - 1;
    CHECK(plan_job(request)->streams());
}

TEST_CASE("a band's input has its halo, cut at the array's ends, and bands begin at multiples of the group") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    REQUIRE(plan->cut.count > 2);
    CHECK(plan->cut.rows % group == 0);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        CHECK(band.inputs.front().begin == std::max<std::int64_t>(0, band.output().begin - halo * row_bytes));
        CHECK(band.inputs.front().end ==
              std::min<std::int64_t>(203 * row_bytes, band.output().end + halo * row_bytes));
    }
}

TEST_CASE("a result that stays is whole while the input streams beside it") {
    JobPlanRequest request = zoom_request(DType::uint8, {64, 1024, 1024}, 0.5);
    request.room = {24 * mib, true, false};
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->streams());
    CHECK(plan->ring.output_at == -1);
    CHECK(plan->ring.input_at.front() == 0);
    CHECK(plan->holds_bytes <= 24 * mib);
}

TEST_CASE("a result that stays and does not fit is refused, with what to do") {
    JobPlanRequest request = zoom_request(DType::uint8, {64, 1024, 1024}, 2.0);
    request.room = {100 * mib, true, false};
    const auto plan = plan_job(request);

    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().kind == ErrorKind::refused);
    CHECK(plan.error().because.find("stays in the volume") != std::string::npos);
    CHECK(plan.error().remedy.find("file instead of keeping") != std::string::npos);
}

TEST_CASE("a kernel that knows nothing of bands is refused when its arrays do not fit") {
    JobPlanRequest request = halo_request({1024, 4096});
    request.steps[0].kernel = &kernel_without_bands;
    REQUIRE(plan_job(request).has_value());
    request.room.most_bytes = 4 * mib;
    const auto plan = plan_job(request);

    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().because.find("cannot work in bands") != std::string::npos);
}

TEST_CASE("an array in Fortran order is cut along its last axis, which is the slowest") {
    JobPlanRequest request = zoom_request(DType::uint8, {300, 500, 200}, 2.0, MemoryOrder::fortran);
    request.room.most_bytes = 16 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->output.order == MemoryOrder::fortran);
    CHECK(plan->kernel_output_shape == Shape{400, 1000, 600});
    CHECK(plan->cut.axis == 0);
    CHECK(plan->band(0).output_tiles().domain.end[1] == 1000);
    CHECK(plan->cut.count > 10);
    CHECK(plan->output.shape == Shape{600, 1000, 400});
}

TEST_CASE("leading axes of one index are passed over: bands go along the first that has more") {
    JobPlanRequest request = zoom_request(DType::uint8, {1, 1, 400, 300, 100}, 1.0);
    request.steps[0].parameters.set("factor", std::vector<double>{1.0, 1.0, 2.0, 2.0, 2.0});
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->cut.axis == 2);
    CHECK(plan->cut.count > 10);
    CHECK(plan->ring.input_at.front() >= 0);
}

TEST_CASE("an outer product of one row goes along its columns, of many along its rows") {
    JobPlanRequest row = outer_request(DType::float64, 1, 4'000'000);
    row.room.most_bytes = 8 * mib;
    const auto along_columns = plan_job(row);
    REQUIRE(along_columns.has_value());
    CHECK(along_columns->cut.axis == 1);
    CHECK(along_columns->ring.input_at == std::vector<std::int64_t>{-1, 0});

    JobPlanRequest rows = outer_request(DType::float64, 40'000, 100);
    rows.room.most_bytes = 8 * mib;
    const auto along_rows = plan_job(rows);
    REQUIRE(along_rows.has_value());
    CHECK(along_rows->cut.axis == 0);
    CHECK(along_rows->ring.input_at == std::vector<std::int64_t>{0, -1});
}

TEST_CASE("a phase has at most 16384 bands, also where one row would be enough") {
    JobPlanRequest request = zoom_request(DType::uint8, {1'000'003, 70}, 1.0);
    request.room.most_bytes = 2 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->cut.count <= most_bands);

    JobPlanRequest long_rows = zoom_request(DType::uint8, {100'003, 70'000}, 1.0);
    long_rows.room.most_bytes = 4 * mib;
    const auto bounded = plan_job(long_rows);
    REQUIRE(bounded.has_value());
    CHECK(bounded->cut.count <= most_bands);
    CHECK(bounded->cut.rows >= 100'003 / most_bands);
}

TEST_CASE("two plans have one fingerprint only when their work is cut the same") {
    JobPlanRequest request = zoom_request(DType::uint8, {64, 512, 512}, 2.0);
    request.room.most_bytes = 16 * mib;
    const auto once = plan_job(request);
    const auto again = plan_job(request);
    request.room.most_bytes = 8 * mib;
    const auto smaller_ring = plan_job(request);
    request.tile_bytes = 4096;
    const auto smaller_tiles = plan_job(request);

    CHECK(once->fingerprint() == again->fingerprint());
    CHECK(once->fingerprint() != smaller_ring->fingerprint());
    CHECK(smaller_ring->fingerprint() != smaller_tiles->fingerprint());
}
