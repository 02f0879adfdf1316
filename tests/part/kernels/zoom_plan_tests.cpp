#include "daemon/kernels/zoom/spline_zoom.hpp"
#include "daemon/kernels/zoom/zoom.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace slab;
using namespace slab::kernels;

const Shape volume{10, 20, 30};

ParameterValues nearest() {
    ParameterValues values;
    values.set("convention", std::string("scipy"));
    values.set("order", std::int64_t{0});
    return values;
}

ParameterValues by_factor(std::vector<double> factor) {
    ParameterValues values = nearest();
    values.set("factor", std::move(factor));
    return values;
}

ParameterValues by_shape(std::vector<std::int64_t> shape) {
    ParameterValues values = nearest();
    values.set("shape", std::move(shape));
    return values;
}

Expected<KernelPlan> plan_of(const ParameterValues& values, Shape shape = volume,
                             DType dtype = DType::uint8) {
    return plan_zoom({{{dtype, shape, MemoryOrder::c}}, values});
}

// What, because and remedy in one text; empty when the plan succeeds. Every error must have all three.
std::string error_of(const ParameterValues& values, Shape shape = volume, DType dtype = DType::uint8) {
    const auto plan = plan_of(values, shape, dtype);
    if (plan) {
        return {};
    }
    CHECK(plan.error().kind == ErrorKind::usage);
    CHECK_FALSE(plan.error().what.empty());
    CHECK_FALSE(plan.error().because.empty());
    CHECK_FALSE(plan.error().remedy.empty());
    return to_text(plan.error());
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the output's shape is the input's times the factor, halves to even") {
    CHECK(plan_of(by_factor({2.0}))->output.shape == Shape{20, 40, 60});
    CHECK(plan_of(by_factor({0.25, 0.125, 1.0}))->output.shape == Shape{2, 2, 30});
    CHECK(plan_of(by_factor({0.5}), {5, 7})->output.shape == Shape{2, 4});
    CHECK(plan_of(by_factor({2.0}), {1024, 1024, 512})->output.shape == Shape{2048, 2048, 1024});
}

TEST_CASE("the output keeps the input's dtype, in C order") {
    for (int i = 0; i < dtype_count; ++i) {
        const auto plan = plan_of(by_factor({2.0}), volume, static_cast<DType>(i));
        REQUIRE(plan.has_value());
        CHECK(plan->output.dtype == static_cast<DType>(i));
        CHECK(plan->output.order == MemoryOrder::c);
    }
}

TEST_CASE("a shape replaces the factor, which is then their ratio") {
    const auto plan = plan_of(by_shape({5, 21, 30}));
    REQUIRE(plan.has_value());
    CHECK(plan->output.shape == Shape{5, 21, 30});
    const auto factors = plan->program.as<ZoomProgram>().factors;
    CHECK(factors[0] == 0.5);
    CHECK(factors[1] == 1.05);
    CHECK(factors[2] == 1.0);
}

TEST_CASE("a factor that is 0, negative, not a number or infinite is refused and named") {
    for (const double factor :
         {0.0, -2.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        const std::string text = error_of(by_factor({2.0, factor, 1.0}));
        CHECK(mentions(text, "axis 1"));
        CHECK(mentions(text, "above 0"));
    }
}

TEST_CASE("a zoom to nothing is refused with the axis and its size") {
    CHECK(mentions(error_of(by_factor({1.0, 1.0, 0.01})), "axis 2 has 30 elements; times 0.01 rounds to 0"));
    CHECK(mentions(error_of(by_shape({0})), "axis 0 is to have 0 elements"));
    CHECK(mentions(error_of(by_shape({1, -3, 1})), "axis 1 is to have -3 elements"));
}

TEST_CASE("an output beyond 63 bits is refused") {
    CHECK(mentions(error_of(by_factor({1e300})), "63 bits"));
    CHECK(mentions(error_of(by_factor({1e7})), "63 bits"));
    CHECK(mentions(error_of(by_shape({INT64_MAX, 1, 1}), volume, DType::float64), "63 bits"));
    CHECK(error_of(by_shape({INT64_MAX / 8, 1, 1}), volume, DType::float64).empty());
}

TEST_CASE("a wrong number of values names both numbers") {
    CHECK(mentions(error_of(by_factor({2.0, 2.0})), "2 values are given, the array has 3 dimensions"));
    CHECK(mentions(error_of(by_shape({2, 2, 2, 2})), "4 values are given, the array has 3 dimensions"));
    CHECK(mentions(error_of(by_factor({})), "0 values are given"));
}

TEST_CASE("exactly one of factor and shape must be given") {
    CHECK(mentions(error_of(nearest()), "neither is given"));
    ParameterValues both = by_factor({2.0});
    both.set("shape", std::vector<std::int64_t>{5});
    CHECK(mentions(error_of(both), "both are given"));
}

TEST_CASE("without an order scipy's conventions are cubic as scipy's zoom, and prefiltered") {
    for (const char* convention : {"scipy", "scipy-grid"}) {
        ParameterValues values;
        values.set("factor", std::vector<double>{2.0});
        values.set("convention", std::string(convention));
        const auto plan = plan_of(values);
        REQUIRE(plan.has_value());
        REQUIRE(is_spline_zoom(plan->program));
        CHECK(plan->program.as<SplineZoomProgram>().zoom.order == 3);
        CHECK(plan->workspaces.size() == 2);  // of three axes: the fastest is filtered as its rows are loaded
    }
}

TEST_CASE(
    "orders beyond 0 to 5, choices that do not exist and a cval that integers cannot hold are refused") {
    const auto with = [](const char* name, ParameterValue value) {
        ParameterValues values = by_factor({2.0});
        values.set(name, std::move(value));
        return values;
    };
    CHECK(mentions(error_of(with("order", std::int64_t{6})), "zoom does not know order 6"));
    CHECK(mentions(error_of(with("order", std::int64_t{-1})), "zoom does not know order -1"));
    CHECK(mentions(error_of(with("mode", std::string("mirrored"))), "mode is mirrored"));
    CHECK(mentions(error_of(with("precision", std::string("half"))), "precision is half"));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(mentions(error_of(with("cval", nan)), "uint8 holds no value nan"));
    CHECK(error_of(with("cval", nan), volume, DType::complex64).empty());
}

TEST_CASE("an axis whose size stays has no phase, and where none changes elements are moved") {
    ParameterValues values = by_factor({1.0, 2.0, 1.0});
    values.set("order", std::int64_t{3});
    CHECK(plan_of(values, {10, 20, 40})->workspaces.size() == 1);
    values.set("factor", std::vector<double>{1.0});
    CHECK_FALSE(is_spline_zoom(plan_of(values)->program));
    values.set("prefilter", std::string("off"));  // coefficients are not samples: every axis is interpolated
    CHECK(is_spline_zoom(plan_of(values)->program));
}

TEST_CASE("antialias smooths the axes that shrink, and refuses a Gaussian longer than a tile can hold") {
    ParameterValues values = by_factor({0.5, 2.0, 0.25});
    values.set("antialias", true);
    CHECK(plan_of(values)->workspaces.size() == 2);
    values.set("antialias", false);
    CHECK(plan_of(values)->workspaces.empty());
    values.set("antialias", true);
    values.set("factor", std::vector<double>{1e-3, 1.0, 1.0});
    CHECK(mentions(error_of(values, {100000, 1, 1}), "axis 0"));
}

TEST_CASE("round and floor need no order, and have none but 0") {
    for (const char* convention : {"round", "floor"}) {
        ParameterValues values;
        values.set("factor", std::vector<double>{2.0});
        values.set("convention", std::string(convention));
        CHECK(error_of(values).empty());
        values.set("order", std::int64_t{0});
        CHECK(error_of(values).empty());
        values.set("order", std::int64_t{1});
        CHECK(mentions(error_of(values), "has no order 1"));
    }
}

TEST_CASE("a tile holds all repeats of a source row, and not an army of them") {
    const auto plan = plan_of(by_factor({3.0, 2.0, 2.0}), {100, 100, 100});
    REQUIRE(plan.has_value());
    CHECK(plan->tiles.brick[0] >= 3);
    CHECK(plan->tiles.brick[1] >= 2);
    const auto large = plan_of(by_factor({1000.0}), {10, 10, 10});
    REQUIRE(large.has_value());
    CHECK(large->tiles.brick[0] * large->tiles.brick[1] <= 64);
}
