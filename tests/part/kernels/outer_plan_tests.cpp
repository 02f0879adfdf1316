#include "daemon/kernels/outer/outer.hpp"
#include "daemon/kernels/outer/product.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

namespace {

using namespace slab;
using namespace slab::kernels;

Expected<KernelPlan> plan_of(std::vector<ArrayDescription> inputs) {
    return outer_kernel().plan({std::move(inputs), {}});
}

ArrayDescription vector_of(DType dtype, std::int64_t n) {
    return {dtype, {n}, MemoryOrder::c};
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the outer product of vectors of n and m elements has the shape (n, m)") {
    const auto plan = plan_of({vector_of(DType::int16, 5), vector_of(DType::int16, 7)});
    REQUIRE(plan.has_value());
    CHECK(plan->output == ArrayDescription{DType::int16, {5, 7}, MemoryOrder::c});
}

TEST_CASE("vectors of two dtypes are refused, both named, with the conversion to make") {
    const auto plan = plan_of({vector_of(DType::int16, 5), vector_of(DType::float64, 7)});
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().kind == ErrorKind::usage);
    const std::string text = to_text(plan.error());
    CHECK(mentions(text, "y is int16, x is float64"));
    CHECK(mentions(text, "Convert"));
}

TEST_CASE("an input that is not a vector is named with its shape") {
    const auto plan = plan_of({vector_of(DType::int16, 5), {DType::int16, {3, 4}, MemoryOrder::c}});
    REQUIRE_FALSE(plan.has_value());
    CHECK(mentions(to_text(plan.error()), "x has 2 dimensions, of shape (3, 4)"));
}

TEST_CASE("one input, three inputs and an output beyond 63 bits are refused") {
    const auto v = vector_of(DType::uint8, 5);
    CHECK_FALSE(plan_of({v}).has_value());
    CHECK_FALSE(plan_of({v, v, v}).has_value());
    const auto huge = vector_of(DType::uint8, std::int64_t{1} << 40);
    CHECK_FALSE(plan_of({huge, huge}).has_value());
}

TEST_CASE("integers wrap as numpy's do") {
    CHECK(product<std::uint8_t>(200, 3) == 88);
    CHECK(product<std::int8_t>(-128, -128) == 0);
    CHECK(product<std::uint16_t>(65535, 65535) == 1);
    CHECK(product<std::int64_t>(std::numeric_limits<std::int64_t>::min(), -1) ==
          std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("the complex product rounds each product before the sum") {
    // With a fused multiply-add the real part would be 2^-54 or its negative, not 0.
    const double a = 1.0 + 0x1p-27;
    const std::complex<double> square = product<std::complex<double>>({a, a}, {a, a});
    CHECK(square.real() == 0.0);
    CHECK(product<std::complex<double>>({1, 2}, {3, 4}) == std::complex<double>(-5, 10));
}
