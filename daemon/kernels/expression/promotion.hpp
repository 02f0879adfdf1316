#pragma once

#include "common/array/dtype.hpp"
#include "daemon/kernels/expression/block_program.hpp"

#include <span>

namespace slab::kernels::expression {

// numpy's promote_types: the smallest type that holds the values of both; int64 and uint64 meet in float64.
DType promoted(DType a, DType b);

// What numpy computes e.g. sqrt of this type in, but for float16, which slabd has not: float32 takes its place.
DType floating(DType type);

DType real_of(DType type);

constexpr bool is_complex(DType type) {
    return type == DType::complex64 || type == DType::complex128;
}
constexpr bool is_float(DType type) {
    return type == DType::float32 || type == DType::float64;
}
constexpr bool is_signed_integer(DType type) {
    return type == DType::int8 || type == DType::int16 || type == DType::int32 || type == DType::int64;
}
constexpr bool is_unsigned_integer(DType type) {
    return type == DType::uint8 || type == DType::uint16 || type == DType::uint32 || type == DType::uint64;
}
constexpr bool is_integer(DType type) {
    return is_signed_integer(type) || is_unsigned_integer(type);
}

// An operand as promotion sees it: of a scalar the value counts, not its type.
struct PromotedOperand {
    DType type = DType::uint8;
    const Constant* maybe_scalar = nullptr;
};

// The common type of operands by numpy 1.24's value-based rules: a scalar whose kind (bool, integer, inexact) is not
// above the arrays' has the smallest type that holds its value. Scalars alone are promoted as arrays are.
DType common_type(std::span<const PromotedOperand> operands);

// Of what is computed in inexact numbers: of int16 and uint16, say, float32, although their common type is int32.
DType common_floating_type(std::span<const PromotedOperand> operands);

}  // namespace slab::kernels::expression
