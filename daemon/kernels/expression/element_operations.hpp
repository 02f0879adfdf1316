#pragma once

#include "daemon/kernels/expression/element_type.hpp"

#include <cmath>
#include <complex>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

// What each operation makes of one element: the definition, which both the scalar and the vectorised loops compile.
// They are small enough to be inlined into loops for every instruction set; none contracts to a fused multiply-add.
namespace slab::kernels::expression {

// Integers wrap around: in unsigned arithmetic, and not in int, into which small ones would be promoted.
template <std::integral T>
using Wrapping = std::common_type_t<std::make_unsigned_t<T>, unsigned>;

struct Add {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::is_same_v<T, bool>) {
            return x || y;
        } else if constexpr (std::integral<T>) {
            return static_cast<T>(static_cast<Wrapping<T>>(x) + static_cast<Wrapping<T>>(y));
        } else {
            return x + y;
        }
    }
};

struct Subtract {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::integral<T>) {
            return static_cast<T>(static_cast<Wrapping<T>>(x) - static_cast<Wrapping<T>>(y));
        } else {
            return x - y;
        }
    }
};

struct Multiply {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::is_same_v<T, bool>) {
            return x && y;
        } else if constexpr (std::integral<T>) {
            return static_cast<T>(static_cast<Wrapping<T>>(x) * static_cast<Wrapping<T>>(y));
        } else if constexpr (is_complex_type<T>) {
            return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
        } else {
            return x * y;
        }
    }
};

struct Divide {
    // Complex: R. L. Smith, Algorithm 116, CACM 5 (1962), as numpy does.
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (is_complex_type<T>) {
            const auto real = std::abs(y.real());
            const auto imaginary = std::abs(y.imag());
            if (real >= imaginary) {
                if (real == 0 && imaginary == 0) {
                    return {x.real() / real, x.imag() / real};
                }
                const auto ratio = y.imag() / y.real();
                const auto scale = 1 / (y.real() + y.imag() * ratio);
                return {(x.real() + x.imag() * ratio) * scale, (x.imag() - x.real() * ratio) * scale};
            }
            const auto ratio = y.real() / y.imag();
            const auto scale = 1 / (y.imag() + y.real() * ratio);
            return {(x.real() * ratio + x.imag()) * scale, (x.imag() * ratio - x.real()) * scale};
        } else {
            return x / y;
        }
    }
};

// Rounded toward minus infinity, as Python; of integers anything by 0 is 0, and the least by -1 wraps to itself.
struct FloorDivide {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::integral<T>) {
            if (y == 0) {
                return 0;
            }
            if constexpr (std::is_signed_v<T>) {
                if (y == T(-1)) {
                    return static_cast<T>(Wrapping<T>(0) - static_cast<Wrapping<T>>(x));
                }
                const auto quotient = static_cast<T>(x / y);
                return static_cast<T>(quotient - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0));
            }
            return static_cast<T>(x / y);
        } else {
            if (y == 0) {
                return x / y;
            }
            T rest = std::fmod(x, y);
            T quotient = (x - rest) / y;
            quotient -= rest != 0 && (y < 0) != (rest < 0) ? T(1) : T(0);
            if (quotient == 0) {
                return std::copysign(T(0), x / y);
            }
            const T whole = std::floor(quotient);
            return quotient - whole > T(0.5) ? whole + T(1) : whole;
        }
    }
};

// Of the divisor's sign, as Python; of integers 0 where the divisor is 0.
struct Remainder {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::integral<T>) {
            if (y == 0 || (std::is_signed_v<T> && y == static_cast<T>(-1))) {
                return 0;
            }
            const auto rest = static_cast<T>(x % y);
            return rest != 0 && (rest < 0) != (y < 0) ? static_cast<T>(rest + y) : rest;
        } else {
            const T rest = std::fmod(x, y);
            if (rest == 0) {
                return std::copysign(T(0), y);
            }
            return (y < 0) != (rest < 0) ? rest + y : rest;
        }
    }
};

struct Minimum {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (is_complex_type<T>) {
            return is_nan(x) || comes_before(x, y) || x == y ? x : y;
        } else if constexpr (std::floating_point<T>) {
            return x <= y || x != x ? x : y;
        } else {
            return x < y ? x : y;
        }
    }
};

struct Maximum {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (is_complex_type<T>) {
            return is_nan(x) || comes_before(y, x) || x == y ? x : y;
        } else if constexpr (std::floating_point<T>) {
            return x >= y || x != x ? x : y;
        } else {
            return x > y ? x : y;
        }
    }
};

struct BitwiseAnd {
    template <typename T>
    static T apply(T x, T y) {
        return static_cast<T>(x & y);
    }
};
struct BitwiseOr {
    template <typename T>
    static T apply(T x, T y) {
        return static_cast<T>(x | y);
    }
};
struct BitwiseXor {
    template <typename T>
    static T apply(T x, T y) {
        return static_cast<T>(x ^ y);
    }
};

// By as many bits as the type has, or by a negative number: all bits are shifted out.
struct ShiftLeft {
    template <typename T>
    static T apply(T x, T y) {
        using U = std::make_unsigned_t<T>;
        constexpr unsigned bits = 8 * sizeof(T);
        const auto by = static_cast<U>(y);
        return by < bits ? static_cast<T>(static_cast<Wrapping<T>>(x) << by) : T(0);
    }
};
struct ShiftRight {
    template <typename T>
    static T apply(T x, T y) {
        using U = std::make_unsigned_t<T>;
        constexpr unsigned bits = 8 * sizeof(T);
        const auto by = static_cast<U>(y);
        return static_cast<T>(x >> (by < bits ? by : bits - 1) >> (by < bits ? 0 : 1));
    }
};

struct Less {
    template <typename T>
    static bool apply(T x, T y) {
        return comes_before(x, y);
    }
};
struct LessEqual {
    template <typename T>
    static bool apply(T x, T y) {
        if constexpr (is_complex_type<T>) {
            return comes_before(x, y) || x == y;
        } else {
            return x <= y;
        }
    }
};
struct Greater {
    template <typename T>
    static bool apply(T x, T y) {
        return comes_before(y, x);
    }
};
struct GreaterEqual {
    template <typename T>
    static bool apply(T x, T y) {
        return LessEqual::apply(y, x);
    }
};
struct Equal {
    template <typename T>
    static bool apply(T x, T y) {
        return x == y;
    }
};
struct NotEqual {
    template <typename T>
    static bool apply(T x, T y) {
        return !(x == y);
    }
};

struct Copy {
    template <typename T>
    static T apply(T x) {
        return x;
    }
};
struct Negative {
    template <typename T>
    static T apply(T x) {
        if constexpr (std::integral<T>) {
            return static_cast<T>(Wrapping<T>(0) - static_cast<Wrapping<T>>(x));
        } else {
            return -x;
        }
    }
};
struct Invert {
    template <typename T>
    static T apply(T x) {
        if constexpr (std::is_same_v<T, bool>) {
            return !x;
        } else {
            return static_cast<T>(~x);
        }
    }
};
struct Absolute {
    template <typename T>
    static auto apply(T x) {
        if constexpr (is_complex_type<T>) {
            return std::hypot(x.real(), x.imag());
        } else if constexpr (std::signed_integral<T>) {
            return x < 0 ? Negative::apply(x) : x;
        } else if constexpr (std::floating_point<T>) {
            return std::abs(x);
        } else {
            return x;
        }
    }
};
struct Sign {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            using P = typename T::value_type;
            return {x.real() != 0 ? apply<P>(x.real()) : apply<P>(x.imag()), P(0)};
        } else if constexpr (std::floating_point<T>) {
            return x > 0 ? T(1) : x < 0 ? T(-1) : x == 0 ? T(0) : x;
        } else {
            return static_cast<T>((x > 0 ? 1 : 0) - (x < 0 ? 1 : 0));
        }
    }
};
struct Square {
    template <typename T>
    static T apply(T x) {
        return Multiply::apply(x, x);
    }
};
struct Reciprocal {
    template <typename T>
    static T apply(T x) {
        return Divide::apply(T(1), x);
    }
};
struct Conjugate {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            return {x.real(), -x.imag()};
        } else {
            return x;
        }
    }
};
struct RealPart {
    template <typename T>
    static auto apply(T x) {
        if constexpr (is_complex_type<T>) {
            return x.real();
        } else {
            return x;
        }
    }
};
struct ImaginaryPart {
    template <typename T>
    static auto apply(T x) {
        if constexpr (is_complex_type<T>) {
            return x.imag();
        } else {
            return T(0);
        }
    }
};
struct IsNan {
    template <typename T>
    static bool apply(T x) {
        return is_nan(x);
    }
};
struct IsFinite {
    template <typename T>
    static bool apply(T x) {
        if constexpr (is_complex_type<T>) {
            return apply(x.real()) && apply(x.imag());
        } else if constexpr (std::floating_point<T>) {
            return std::abs(x) <= std::numeric_limits<T>::max();
        } else {
            return true;
        }
    }
};
struct IsInfinite {
    template <typename T>
    static bool apply(T x) {
        if constexpr (is_complex_type<T>) {
            return apply(x.real()) || apply(x.imag());
        } else if constexpr (std::floating_point<T>) {
            return std::abs(x) > std::numeric_limits<T>::max();
        } else {
            return false;
        }
    }
};

struct Floor {
    template <typename T>
    static T apply(T x) {
        return std::floor(x);
    }
};
struct Ceil {
    template <typename T>
    static T apply(T x) {
        return std::ceil(x);
    }
};
struct Truncate {
    template <typename T>
    static T apply(T x) {
        return std::trunc(x);
    }
};
// Halves to even, in the process's rounding mode, which nobody changes.
struct Rint {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            return {std::rint(x.real()), std::rint(x.imag())};
        } else {
            return std::rint(x);
        }
    }
};

}  // namespace slab::kernels::expression
