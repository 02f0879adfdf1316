#include "daemon/kernels/fft/fft.hpp"
#include "daemon/kernels/fft/fft_program.hpp"

#include <doctest/doctest.h>

namespace {

using namespace slab;
using namespace slab::kernels;

PlanRequest request_of(DType dtype, Shape shape, std::vector<std::int64_t> axes) {
    PlanRequest request{{{dtype, shape, MemoryOrder::c}}, {}};
    request.parameters.set("axes", AxisList{std::move(axes)});
    return request;
}

}  // namespace

TEST_CASE("a length is the product of its factors, unless a prime is too large") {
    for (const std::int64_t length : {1, 2, 3, 8, 60, 61, 4096, 61 * 61 * 7, 131072}) {
        FftFactors factors;
        CHECK(factorize(length, factors));
        std::int64_t product = 1;
        for (std::size_t i = 0; i < factors.count; ++i) {
            product *= factors.factor[i];
        }
        CHECK(product == length);
        CHECK(convolution_length(length) == 0);
    }
    CHECK(convolution_length(67) == 256);
    CHECK(convolution_length(2 * 127) == 512);
}

TEST_CASE("a real array's transform has half the last of the axes, and is done with that axis first") {
    const auto plan = rfft_kernel().plan(request_of(DType::float32, {10, 20, 30}, {2, 0}));
    REQUIRE(plan.has_value());
    CHECK(plan->output == ArrayDescription{DType::complex64, {6, 20, 30}, MemoryOrder::c});
    REQUIRE(plan->workspaces.size() == 1);
    CHECK(plan->workspaces[0].array.shape == Shape{6, 20, 30});
    CHECK(plan->program.as<FftProgram>().phases[0].axis == 0);
}

TEST_CASE("without axes the user's last one is transformed, in either memory order") {
    PlanRequest request{{{DType::complex64, {6, 8}, MemoryOrder::c}}, {}};
    CHECK(fft_kernel().plan(request)->program.as<FftProgram>().phases[0].axis == 1);
    request.axes = AxisOrder::reversed;
    CHECK(fft_kernel().plan(request)->program.as<FftProgram>().phases[0].axis == 0);
}

TEST_CASE("bands go across lines, never along them") {
    const std::vector<Shape> shapes{{10, 20, 30}};
    const auto across = fft_kernel().plan(request_of(DType::complex64, shapes[0], {1, 2}));
    CHECK(fft_kernel().band_reads({&*across, shapes, 0, 0, 0, {3, 5}}) == AxisRange{3, 5});
    CHECK(fft_kernel().band_reads({&*across, shapes, 1, 0, 0, {3, 5}}) == AxisRange{3, 5});
    const auto along = fft_kernel().plan(request_of(DType::complex64, shapes[0], {1, 0}));
    CHECK(fft_kernel().band_reads({&*along, shapes, 0, 0, 0, {3, 5}}) == AxisRange{0, 10});
}
