#include "daemon/kernels/zoom/fill_value.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>

namespace {

using namespace slab;
using namespace slab::kernels;

template <typename T>
T filled(double cval, DType dtype) {
    T value;
    std::memcpy(&value, fill_value(cval, dtype).data(), sizeof(T));
    return value;
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

// scipy 1.10: zoom(numpy.ones(3, dtype), 3, order=0, mode="constant", cval=cval, grid_mode=True)[0]
TEST_CASE("cval in an integer array rounds half away from zero and clamps, as scipy casts it") {
    CHECK(filled<std::uint8_t>(2.5, DType::uint8) == 3);
    CHECK(filled<std::uint8_t>(0.49, DType::uint8) == 0);
    CHECK(filled<std::uint8_t>(0.5, DType::uint8) == 1);
    CHECK(filled<std::uint8_t>(-2.5, DType::uint8) == 0);
    CHECK(filled<std::uint8_t>(300.7, DType::uint8) == 255);
    CHECK(filled<std::int8_t>(-2.5, DType::int8) == -3);
    CHECK(filled<std::int8_t>(-0.5, DType::int8) == -1);
    CHECK(filled<std::int8_t>(-300, DType::int8) == -128);
    CHECK(filled<std::uint16_t>(300.7, DType::uint16) == 301);
    CHECK(filled<std::int16_t>(-300.7, DType::int16) == -301);
    CHECK(filled<std::uint32_t>(1e30, DType::uint32) == UINT32_MAX);
    CHECK(filled<std::int32_t>(-1e30, DType::int32) == INT32_MIN);
    CHECK(filled<std::int64_t>(-300, DType::int64) == -300);
    CHECK(filled<std::int64_t>(1e30, DType::int64) == INT64_MAX);
    CHECK(filled<std::uint64_t>(1e30, DType::uint64) == UINT64_MAX);
}

TEST_CASE("cval in a bool array is true where its whole part is not 0, as numpy casts a double") {
    CHECK(filled<std::uint8_t>(1.0, DType::boolean) == 1);
    CHECK(filled<std::uint8_t>(2.5, DType::boolean) == 1);
    CHECK(filled<std::uint8_t>(-2.5, DType::boolean) == 1);
    CHECK(filled<std::uint8_t>(0.5, DType::boolean) == 0);
    CHECK(filled<std::uint8_t>(not_a_number, DType::boolean) == 0);
}

TEST_CASE("what scipy leaves undefined is defined: a cval that is not a number, and 64 bits at their ends") {
    CHECK(filled<std::uint8_t>(not_a_number, DType::uint8) == 0);
    CHECK(filled<std::int64_t>(not_a_number, DType::int64) == 0);
    CHECK(filled<std::int64_t>(-0x1p63, DType::int64) == INT64_MIN);
    CHECK(filled<std::int64_t>(0x1p63, DType::int64) == INT64_MAX);
    CHECK(filled<std::uint64_t>(0x1p64, DType::uint64) == UINT64_MAX);
}

TEST_CASE("cval in a real array is itself, and the real part of a complex one") {
    CHECK(filled<float>(300.7, DType::float32) == 300.7F);
    CHECK(filled<double>(-0.1, DType::float64) == -0.1);
    CHECK(std::isnan(filled<float>(not_a_number, DType::float32)));
    CHECK(filled<std::complex<float>>(2.5, DType::complex64) == std::complex<float>(2.5F, 0.0F));
    CHECK(filled<std::complex<double>>(-2.5, DType::complex128) == std::complex<double>(-2.5, 0.0));
}
