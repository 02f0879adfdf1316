#include "daemon/kernels/expression/promotion.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

namespace slab::kernels::expression {
namespace {

DType signed_of_bytes(std::size_t bytes) {
    return bytes == 1 ? DType::int8 : bytes == 2 ? DType::int16 : bytes == 4 ? DType::int32 : DType::int64;
}
DType unsigned_of_bytes(std::size_t bytes) {
    return bytes == 1   ? DType::uint8
           : bytes == 2 ? DType::uint16
           : bytes == 4 ? DType::uint32
                        : DType::uint64;
}

// bool, integers, inexact numbers: the order that decides whether a scalar's value or its type counts.
int kind_of(DType type) {
    return type == DType::boolean ? 0 : is_integer(type) ? 1 : 2;
}

template <typename T>
T value_of(const Constant& constant) {
    T value;
    std::memcpy(&value, constant.element.data(), sizeof(T));
    return value;
}

bool fits_float32(double value) {
    return !std::isfinite(value) || std::abs(value) < 3.4e38;
}

double real_value_of(const Constant& constant) {
    switch (constant.type) {
    case DType::float32: return value_of<float>(constant);
    case DType::float64: return value_of<double>(constant);
    case DType::complex64: return value_of<std::complex<float>>(constant).real();
    default: return value_of<std::complex<double>>(constant).real();
    }
}

// Whole numbers by sign and magnitude, so that int64 and uint64 are one.
struct WholeValue {
    bool is_negative = false;
    std::uint64_t magnitude = 0;
};

WholeValue whole_value_of(const Constant& constant) {
    const auto of_signed = [](std::int64_t value) {
        return value < 0 ? WholeValue{true, ~static_cast<std::uint64_t>(value)}  // -1 - value: 128 fits int8
                         : WholeValue{false, static_cast<std::uint64_t>(value)};
    };
    switch (constant.type) {
    case DType::int8: return of_signed(value_of<std::int8_t>(constant));
    case DType::int16: return of_signed(value_of<std::int16_t>(constant));
    case DType::int32: return of_signed(value_of<std::int32_t>(constant));
    case DType::int64: return of_signed(value_of<std::int64_t>(constant));
    case DType::uint8: return {false, value_of<std::uint8_t>(constant)};
    case DType::uint16: return {false, value_of<std::uint16_t>(constant)};
    case DType::uint32: return {false, value_of<std::uint32_t>(constant)};
    default: return {false, value_of<std::uint64_t>(constant)};
    }
}

// Beside signed integers a small positive number is a signed one.
DType smallest_type(const Constant& constant, DType beside) {
    if (constant.type == DType::boolean) {
        return DType::boolean;
    }
    if (!is_integer(constant.type)) {
        const double imaginary =
            constant.type == DType::complex64    ? value_of<std::complex<float>>(constant).imag()
            : constant.type == DType::complex128 ? value_of<std::complex<double>>(constant).imag()
                                                 : 0.0;
        const bool is_single = fits_float32(real_value_of(constant)) && fits_float32(imaginary);
        return is_complex(constant.type) ? (is_single ? DType::complex64 : DType::complex128)
                                         : (is_single ? DType::float32 : DType::float64);
    }
    const WholeValue value = whole_value_of(constant);
    const bool as_signed = value.is_negative || is_signed_integer(beside);
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{8}}) {
        const std::uint64_t most = ~std::uint64_t{0} >> (64 - 8 * bytes + (as_signed ? 1 : 0));
        if (value.magnitude <= most) {
            return as_signed ? signed_of_bytes(bytes) : unsigned_of_bytes(bytes);
        }
    }
    return DType::uint64;  // beyond int64, beside a signed type
}

}  // namespace

DType real_of(DType type) {
    return type == DType::complex64 ? DType::float32 : type == DType::complex128 ? DType::float64 : type;
}

DType floating(DType type) {
    if (is_float(type) || is_complex(type)) {
        return type;
    }
    return size_of(type) <= 2 ? DType::float32 : DType::float64;
}

DType promoted(DType a, DType b) {
    if (a == b || b == DType::boolean) {
        return a;
    }
    if (a == DType::boolean) {
        return b;
    }
    if (is_integer(a) && is_integer(b)) {
        const std::size_t bytes = std::max(size_of(a), size_of(b));
        if (is_signed_integer(a) == is_signed_integer(b)) {
            return is_signed_integer(a) ? signed_of_bytes(bytes) : unsigned_of_bytes(bytes);
        }
        const std::size_t unsigned_bytes = size_of(is_signed_integer(a) ? b : a);
        const std::size_t signed_bytes = size_of(is_signed_integer(a) ? a : b);
        if (signed_bytes > unsigned_bytes) {
            return signed_of_bytes(signed_bytes);
        }
        return unsigned_bytes == 8 ? DType::float64 : signed_of_bytes(2 * unsigned_bytes);
    }
    const bool is_double = real_of(floating(a)) == DType::float64 || real_of(floating(b)) == DType::float64;
    if (is_complex(a) || is_complex(b)) {
        return is_double ? DType::complex128 : DType::complex64;
    }
    return is_double ? DType::float64 : DType::float32;
}

namespace {

template <class Each>
DType common_type_of(std::span<const PromotedOperand> operands, const Each each) {
    int array_kind = -1;
    int scalar_kind = -1;
    bool has_type = false;
    DType type = DType::boolean;
    for (const PromotedOperand& operand : operands) {
        int& kind = operand.maybe_scalar == nullptr ? array_kind : scalar_kind;
        kind = std::max(kind, kind_of(operand.type));
        if (operand.maybe_scalar == nullptr) {
            type = has_type ? promoted(type, each(operand.type)) : each(operand.type);
            has_type = true;
        }
    }
    const bool by_value = array_kind >= 0 && array_kind >= scalar_kind;
    const DType of_arrays = type;
    for (const PromotedOperand& operand : operands) {
        if (operand.maybe_scalar != nullptr) {
            const DType own = each(by_value ? smallest_type(*operand.maybe_scalar, of_arrays) : operand.type);
            type = has_type ? promoted(type, own) : own;
            has_type = true;
        }
    }
    return type;
}

}  // namespace

DType common_type(std::span<const PromotedOperand> operands) {
    return common_type_of(operands, [](DType type) { return type; });
}

DType common_floating_type(std::span<const PromotedOperand> operands) {
    return common_type_of(operands, floating);
}

}  // namespace slab::kernels::expression
