#pragma once

#include "common/array/dtype.hpp"

#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace slab::kernels::expression {

template <typename T>
inline constexpr bool is_complex_type =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

template <typename T>
inline bool is_nan(T x) {
    if constexpr (is_complex_type<T>) {
        return x.real() != x.real() || x.imag() != x.imag();
    } else {
        return x != x;
    }
}

// The order of numbers; of complex ones the real part decides, then the imaginary one, and a NaN is in no order.
template <typename T>
inline bool comes_before(T x, T y) {
    if constexpr (is_complex_type<T>) {
        return (x.real() < y.real() && x.imag() == x.imag() && y.imag() == y.imag()) ||
               (x.real() == y.real() && x.imag() < y.imag());
    } else {
        return x < y;
    }
}

// Elements may lie at any address. A bool is true when its byte is not 0.
template <typename T>
inline T element_at(const std::byte* data, std::int64_t index) {
    if constexpr (std::is_same_v<T, bool>) {
        return data[index] != std::byte{0};
    } else {
        T value;
        std::memcpy(&value, data + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
        return value;
    }
}

template <typename T>
inline void set_element(std::byte* data, std::int64_t index, T value) {
    std::memcpy(data + index * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
}

template <typename T>
constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, bool>) {
        return DType::boolean;
    } else if constexpr (std::integral<T>) {
        constexpr bool is_signed = std::is_signed_v<T>;
        switch (sizeof(T)) {
        case 1: return is_signed ? DType::int8 : DType::uint8;
        case 2: return is_signed ? DType::int16 : DType::uint16;
        case 4: return is_signed ? DType::int32 : DType::uint32;
        default: return is_signed ? DType::int64 : DType::uint64;
        }
    } else if constexpr (std::floating_point<T>) {
        return sizeof(T) == 4 ? DType::float32 : DType::float64;
    } else {
        return sizeof(T) == 8 ? DType::complex64 : DType::complex128;
    }
}

}  // namespace slab::kernels::expression
