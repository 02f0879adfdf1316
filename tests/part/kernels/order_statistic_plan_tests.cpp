#include "daemon/kernels/order_statistics/order_statistics.hpp"
#include "daemon/kernels/order_statistics/order_window.hpp"

#include <doctest/doctest.h>

namespace {

using namespace slab;
using namespace slab::kernels;

PlanRequest request_of(DType dtype, Shape shape, std::vector<std::int64_t> size) {
    PlanRequest request{{{dtype, shape, MemoryOrder::c}}, {}};
    request.parameters.set("size", std::move(size));
    return request;
}

AxisRange reads_of(PlanRequest request, AxisRange rows) {
    const auto plan = median_kernel().plan(request);
    REQUIRE(plan.has_value());
    const std::vector<Shape> shapes{request.inputs[0].shape};
    return median_kernel().band_reads({&*plan, shapes, 0, 0, 0, rows});
}

}  // namespace

TEST_CASE("a window of n elements has n/2 before its element and the rest behind, moved by the origin") {
    PlanRequest request = request_of(DType::float32, {40, 50}, {4, 5});
    request.parameters.set("origin", std::vector<std::int64_t>{1, -2});
    const auto plan = median_kernel().plan(request);
    REQUIRE(plan.has_value());
    const auto window = plan->program.as<OrderWindow>();
    CHECK(window.before[0] == 3);
    CHECK(window.before[1] == 0);
    CHECK(window.median_rank() == 10);
}

TEST_CASE(
    "a band reads as far on both sides as its window reaches on the longer one: an end may be a mirror") {
    PlanRequest request = request_of(DType::uint8, {100, 7}, {9});
    CHECK(reads_of(request, {20, 30}) == AxisRange{16, 34});
    CHECK(reads_of(request, {0, 2}) == AxisRange{0, 6});
    request.parameters.set("origin", std::vector<std::int64_t>{-4});
    CHECK(reads_of(request, {20, 30}) == AxisRange{12, 38});
    request.parameters.set("mode", std::string("wrap"));
    CHECK(reads_of(request, {20, 30}) == AxisRange{0, 100});
}

TEST_CASE("only the chosen axes are filtered, each with its own size") {
    PlanRequest request = request_of(DType::uint8, {10, 11, 12}, {3, 5});
    request.parameters.set("axes", AxisList{{2, 0}});
    const auto plan = minimum_kernel().plan(request);
    REQUIRE(plan.has_value());
    const auto window = plan->program.as<OrderWindow>();
    CHECK(window.size[0] == 5);
    CHECK(window.size[1] == 1);
    CHECK(window.size[2] == 3);
}
