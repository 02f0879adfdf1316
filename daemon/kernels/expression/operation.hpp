#pragma once

#include <cstdint>
#include <string_view>

namespace slab::kernels::expression {

// What one instruction computes of each element. The operands have one dtype, the instruction's; the result has it too
// unless said otherwise.
enum class Operation : std::uint8_t {
    copy,  // bool: 0 or 1
    cast,  // from the instruction's dtype to its result's
    add,
    subtract,
    multiply,
    divide,
    floor_divide,
    remainder,
    power,
    minimum,
    maximum,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    shift_left,
    shift_right,
    arctan2,
    hypot,
    less,  // comparisons: to bool
    less_equal,
    greater,
    greater_equal,
    equal,
    not_equal,
    negative,
    invert,
    absolute,  // of complex to real
    sign,
    square,
    reciprocal,
    conjugate,
    real_part,       // of complex to real
    imaginary_part,  // likewise
    is_nan,          // to bool, as the next two
    is_infinite,
    is_finite,
    floor,
    ceil,
    rint,
    truncate,
    square_root,
    exp,
    expm1,
    log,
    log2,
    log10,
    log1p,
    sin,
    cos,
    tan,
    arcsin,
    arccos,
    arctan,
    sinh,
    cosh,
    tanh,
    choose,  // a bool, then two of the instruction's dtype
};
inline constexpr int operation_count = static_cast<int>(Operation::choose) + 1;

// Whether SIMD code may differ from the C library by a few units in the last place.
constexpr bool is_approximated(Operation operation) {
    return operation >= Operation::exp && operation <= Operation::tanh;
}

}  // namespace slab::kernels::expression
