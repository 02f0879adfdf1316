#include "daemon/kernels/zoom/fill_value.hpp"

#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>

namespace slab::kernels {
namespace {

template <typename T>
ElementBytes bytes_of(T value) {
    static_assert(sizeof(T) <= sizeof(ElementBytes));
    ElementBytes bytes{};
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

template <typename T>
T rounded(double value) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(value)) {
        return 0;
    }
    const double whole = std::round(value);  // half away from zero
    if (whole <= static_cast<double>(Limits::min())) {
        return Limits::min();
    }
    // Of 64 bits the largest is no double: 2^63 or 2^64 stands for it, and clamps.
    return whole >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(whole);
}

}  // namespace

ElementBytes fill_value(double cval, DType dtype) {
    switch (dtype) {
    case DType::boolean: return bytes_of(static_cast<std::uint8_t>(std::abs(cval) >= 1.0 ? 1 : 0));
    case DType::uint8: return bytes_of(rounded<std::uint8_t>(cval));
    case DType::int8: return bytes_of(rounded<std::int8_t>(cval));
    case DType::uint16: return bytes_of(rounded<std::uint16_t>(cval));
    case DType::int16: return bytes_of(rounded<std::int16_t>(cval));
    case DType::uint32: return bytes_of(rounded<std::uint32_t>(cval));
    case DType::int32: return bytes_of(rounded<std::int32_t>(cval));
    case DType::uint64: return bytes_of(rounded<std::uint64_t>(cval));
    case DType::int64: return bytes_of(rounded<std::int64_t>(cval));
    case DType::float32: return bytes_of(static_cast<float>(cval));
    case DType::float64: return bytes_of(cval);
    case DType::complex64: return bytes_of(std::complex<float>(static_cast<float>(cval), 0.0F));
    case DType::complex128: return bytes_of(std::complex<double>(cval, 0.0));
    }
    return {};
}

}  // namespace slab::kernels
