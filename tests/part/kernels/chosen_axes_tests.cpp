#include "daemon/kernels/chosen_axes.hpp"

#include <doctest/doctest.h>

using namespace slab;
using namespace slab::kernels;

namespace {

PlanRequest request_with(std::vector<std::int64_t> indices, AxisOrder order = AxisOrder::as_given) {
    PlanRequest request;
    request.parameters.set("axes", AxisList{std::move(indices)});
    request.axes = order;
    if (order == AxisOrder::reversed) {
        request.parameters.reverse_axes();
    }
    return request;
}

}  // namespace

TEST_CASE("axes that are not given are all axes") {
    CHECK(*chosen_axes({}, "axes", 3) == std::vector{0, 1, 2});
}

TEST_CASE("negative axes count from the end, and the order stays") {
    CHECK(*chosen_axes(request_with({-1, 0}), "axes", 3) == std::vector{2, 0});
    CHECK(*chosen_axes(request_with({0}), "axes", 1) == std::vector{0});
}

TEST_CASE("axes of a Fortran-ordered array are the reversed shape's, last one first as the values that go "
          "with them") {
    CHECK(*chosen_axes(request_with({0, 1}, AxisOrder::reversed), "axes", 3) == std::vector{1, 2});
    CHECK(*chosen_axes(request_with({-1, 0}, AxisOrder::reversed), "axes", 3) == std::vector{2, 0});
    CHECK(*chosen_axes(request_with({1}, AxisOrder::reversed), "axes", 4) == std::vector{2});
}

TEST_CASE("an axis beyond the rank is refused, by the number that the user gave") {
    for (const AxisOrder order : {AxisOrder::as_given, AxisOrder::reversed}) {
        for (const std::int64_t index : {std::int64_t{3}, std::int64_t{-4}, INT64_MIN, INT64_MAX}) {
            const auto axes = chosen_axes(request_with({index}, order), "axes", 3);
            REQUIRE_FALSE(axes.has_value());
            CHECK(axes.error().what == "there is no axis " + std::to_string(index));
            CHECK(axes.error().because.find("3 dimensions") != std::string::npos);
        }
    }
}

TEST_CASE("an axis that is named twice is refused, by whatever names") {
    for (const AxisOrder order : {AxisOrder::as_given, AxisOrder::reversed}) {
        const auto axes = chosen_axes(request_with({2, 0, -1}, order), "axes", 3);
        REQUIRE_FALSE(axes.has_value());
        CHECK(axes.error().what == "axes names axis 2 twice");
    }
}
