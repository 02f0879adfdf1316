#pragma once

#include "common/array/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace slab::kernels {

// What an interpolated value becomes in an array of integers: rounded half away from zero, clamped to the type's range;
// a NaN is 0. scipy adds 0.5 and cuts off, which is the same but where the sum itself rounds (0.49999999999999994 and
// beyond 2^52).
template <typename Integer, typename T>
inline Integer rounded(T value) {
    using Limits = std::numeric_limits<Integer>;
    // float holds all of the 16-bit types, double all of the 32-bit types: there the range's ends are exact.
    using Wide = std::conditional_t<sizeof(Integer) <= 2, T, double>;
    Wide wide = value == value ? static_cast<Wide>(value) : Wide(0);
    if constexpr (sizeof(Integer) == 8) {
        if (wide <= static_cast<Wide>(Limits::min())) {
            return Limits::min();
        }
        if (wide >= static_cast<Wide>(Limits::max())) {  // which rounds up, to one more than the largest
            return Limits::max();
        }
        const auto whole = static_cast<Integer>(wide);
        const Wide rest = wide - static_cast<Wide>(whole);
        return static_cast<Integer>(rest >= Wide(0.5) ? whole + 1 : rest <= Wide(-0.5) ? whole - 1 : whole);
    } else {
        using Whole = std::conditional_t<std::is_same_v<Integer, std::uint32_t>, std::int64_t, std::int32_t>;
        constexpr auto low = static_cast<Wide>(Limits::min());
        constexpr auto high = static_cast<Wide>(Limits::max());
        wide = wide < low ? low : wide;
        wide = wide > high ? high : wide;
        const auto whole = static_cast<Whole>(wide);
        const Wide rest = wide - static_cast<Wide>(whole);
        return static_cast<Integer>(whole + (rest >= Wide(0.5) ? 1 : 0) - (rest <= Wide(-0.5) ? 1 : 0));
    }
}

// A bool is cast as C casts: what lies below 1 is false.
struct Bool {
    std::uint8_t byte;
};

template <typename Element, typename T>
inline T as_working(Element element) {
    if constexpr (std::is_same_v<Element, Bool>) {
        return element.byte != 0 ? T(1) : T(0);
    } else {
        return static_cast<T>(element);
    }
}

template <typename Element, typename T>
inline Element as_element(T value) {
    if constexpr (std::is_same_v<Element, Bool>) {
        return {static_cast<std::uint8_t>(value >= T(1) ? 1 : 0)};
    } else if constexpr (std::is_integral_v<Element>) {
        return rounded<Element>(value);
    } else {
        return static_cast<Element>(value);
    }
}

// Calls visit(Element()) with the type of an element; of complex numbers with that of their parts.
template <class Visit>
inline void with_element_type(DType dtype, const Visit& visit) {
    switch (dtype) {
    case DType::boolean: return visit(Bool{});
    case DType::uint8: return visit(std::uint8_t());
    case DType::int8: return visit(std::int8_t());
    case DType::uint16: return visit(std::uint16_t());
    case DType::int16: return visit(std::int16_t());
    case DType::uint32: return visit(std::uint32_t());
    case DType::int32: return visit(std::int32_t());
    case DType::uint64: return visit(std::uint64_t());
    case DType::int64: return visit(std::int64_t());
    case DType::float32:
    case DType::complex64: return visit(float());
    case DType::float64:
    case DType::complex128: return visit(double());
    }
}

// One element, or one part of a complex number: `index` counts parts.
template <typename T>
T load_element(const std::byte* array, DType dtype, std::int64_t index) {
    T value{};
    with_element_type(dtype, [&]<typename Element>(Element element) {
        std::memcpy(&element, array + index * static_cast<std::int64_t>(sizeof(Element)), sizeof(Element));
        value = as_working<Element, T>(element);
    });
    return value;
}

template <typename T>
void store_element(T value, std::byte* array, DType dtype, std::int64_t index) {
    with_element_type(dtype, [&]<typename Element>(Element) {
        const auto element = as_element<Element>(value);
        std::memcpy(array + index * static_cast<std::int64_t>(sizeof(Element)), &element, sizeof(Element));
    });
}

}  // namespace slab::kernels
