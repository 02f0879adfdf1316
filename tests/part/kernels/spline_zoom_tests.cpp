#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"
#include "daemon/kernels/zoom/zoom.hpp"
#include "tests/part/kernels/scipy_zoom_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

using namespace slab;
using namespace slab::kernels;

ParameterValues spline(int order, const char* mode, const char* convention, std::vector<std::int64_t> shape) {
    ParameterValues values;
    values.set("order", std::int64_t{order});
    values.set("mode", std::string(mode));
    values.set("convention", std::string(convention));
    values.set("cval", 1.5);
    values.set("shape", std::move(shape));
    return values;
}

// Elements as doubles, at the level that is selected.
std::vector<double> zoomed(const std::vector<double>& samples, const Shape& shape, DType dtype,
                           const ParameterValues& values) {
    const Kernel kernel = zoom_kernel();
    const ArrayDescription input{dtype, shape, MemoryOrder::c};
    const auto plan = kernel.plan({{input}, values});
    REQUIRE_MESSAGE(plan.has_value(), (plan ? "" : to_text(plan.error())));
    std::vector<std::byte> bytes(static_cast<std::size_t>(byte_count(input)));
    for (std::size_t i = 0; i < samples.size(); ++i) {
        store_element(samples[i], bytes.data(), dtype, static_cast<std::int64_t>(i));
    }
    const ConstArrayView view{bytes.data(), dtype, shape};
    alignas(64) static std::byte scratch[scratch_bytes];
    std::vector<std::vector<std::byte>> memory;
    std::vector<ConstArrayView> workspaces;
    for (std::size_t phase = 0; phase <= plan->workspaces.size(); ++phase) {
        const ArrayDescription& array =
            phase < plan->workspaces.size() ? plan->workspaces[phase].array : plan->output;
        memory.emplace_back(static_cast<std::size_t>(byte_count(array)));
        run_tile(kernel, {&plan->program,
                          {&view, 1},
                          {memory.back().data(), array.dtype, array.shape},
                          whole(array.shape),
                          scratch,
                          phase,
                          workspaces,
                          plan->table});
        workspaces.push_back({memory.back().data(), array.dtype, array.shape});
    }
    std::vector<double> result;
    for (std::int64_t i = 0; i < element_count(plan->output.shape) * parts_of(dtype); ++i) {
        result.push_back(load_element<double>(memory.back().data(), dtype, i));
    }
    return result;
}

const std::vector<double> eight{3, -1, 4, 1, -5, 9, 2, 6};
const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

template <class Check>
void at_every_level(const Check& check) {
    for (const std::string& level : simd_levels()) {
        REQUIRE(select_simd_level(level.c_str()));
        INFO("at ", level);
        check();
    }
    select_simd_level(nullptr);
}

}  // namespace

TEST_CASE("zooms of order 1 to 5 have scipy's values, in every mode and both conventions") {
    at_every_level([] {
        for (const ScipyZoom& expected : scipy_zooms) {
            INFO(expected.mode, " order ", expected.order, " ", expected.convention, " to ",
                 expected.values.size());
            const auto values = spline(expected.order, expected.mode, expected.convention,
                                       {static_cast<std::int64_t>(expected.values.size())});
            const double allowed = expected.order == 1 ? 9e-12 : 9e-10;
            const std::vector<double> result = zoomed(eight, {8}, DType::float64, values);
            for (std::size_t i = 0; i < expected.values.size(); ++i) {
                CHECK(std::abs(result[i] - expected.values[i]) <= allowed);
            }
        }
    });
}

TEST_CASE("a spline passes through its samples in every mode, also where scipy's reflect does not") {
    at_every_level([] {
        for (const std::string& mode : boundary_names()) {
            for (int order = 1; order <= 5; ++order) {
                for (const std::size_t n : {std::size_t{2}, std::size_t{3}, std::size_t{8}}) {
                    const std::vector<double> samples(eight.begin(),
                                                      eight.begin() + static_cast<std::ptrdiff_t>(n));
                    const auto count = static_cast<std::int64_t>(n);
                    const std::vector<double> result =
                        zoomed(samples, {count}, DType::float64,
                               spline(order, mode.c_str(), "scipy", {3 * count - 2}));
                    INFO(mode, " order ", order, " of ", n);
                    for (std::size_t i = 0; i < n; ++i) {
                        CHECK(std::abs(result[3 * i] - samples[i]) <= 9e-10);
                    }
                }
            }
        }
    });
}

TEST_CASE("a neighbour of weight 0 does not count in order 1, be it NaN or infinite") {
    at_every_level([] {
        const std::vector<double> line =
            zoomed({1, not_a_number, 3}, {3}, DType::float64, spline(1, "nearest", "scipy", {5}));
        CHECK(line[0] == 1.0);
        CHECK(std::isnan(line[1]));
        CHECK(line[4] == 3.0);
        const std::vector<double> rows =
            zoomed({1, 2, infinity, 4, 5, 6}, {3, 2}, DType::float64, spline(1, "nearest", "scipy", {5, 3}));
        CHECK(rows[0] == 1.0);
        CHECK(rows[2] == 2.0);
        CHECK(rows[3 + 2] == 3.0);
        CHECK(std::isinf(rows[6]));
        CHECK(rows[12] == 5.0);
    });
}

TEST_CASE("the last index is the last sample, where rounding puts scipy's beyond the array") {
    std::vector<double> samples(110, 1.0);
    at_every_level([&] {
        for (const int order : {1, 3}) {
            const std::vector<double> result =
                zoomed(samples, {110}, DType::float64, spline(order, "constant", "scipy", {51}));
            CHECK(std::abs(result.back() - 1.0) <= 1e-12);
        }
    });
}

TEST_CASE("mode constant of scipy-grid is exactly cval beyond the outermost samples, in the real part") {
    at_every_level([] {
        const std::vector<double> result =
            zoomed({1, 10, 2, 20, 3, 30}, {3}, DType::complex128, spline(3, "constant", "scipy-grid", {6}));
        CHECK(result[0] == 1.5);
        CHECK(result[1] == 0.0);
        CHECK(result[10] == 1.5);
        CHECK(result[11] == 0.0);
        CHECK(std::abs(result[2] * 10.0 - result[3]) <= 1e-12);
    });
}
