#pragma once

#include "daemon/kernels/expression/element_type.hpp"

#include <cmath>
#include <complex>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

// What each operation of two operands makes of one element: the definition, which both the scalar and the vectorised loops compile.
// They are small enough to be inlined into loops for every instruction set; none contracts to a fused multiply-add.
namespace slab::kernels::expression {

// Integers wrap around: in unsigned arithmetic, and not in int, into which small ones would be promoted.
template <std::integral T>
using Wrapping = std::common_type_t<std::make_unsigned_t<T>, unsigned>;

// Of two NaNs the processor keeps the first operand's bits, and which one is first in a sum or a product the compiler
// decides for each loop: one NaN for all, or bits would depend on the tiling.
template <std::floating_point T>
inline T with_one_nan(T x) {
    return x == x ? x : std::numeric_limits<T>::quiet_NaN();
}
template <std::floating_point T>
inline std::complex<T> with_one_nan(std::complex<T> x) {
    return {with_one_nan(x.real()), with_one_nan(x.imag())};
}

struct Add {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::is_same_v<T, bool>) {
            return x || y;
        } else if constexpr (std::integral<T>) {
            return static_cast<T>(static_cast<Wrapping<T>>(x) + static_cast<Wrapping<T>>(y));
        } else {
            return with_one_nan(x + y);
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
            return with_one_nan(
                T(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()));
        } else {
            return with_one_nan(x * y);
        }
    }
};

struct Divide {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (is_complex_type<T>) {
            return with_one_nan(of_complex(x, y));
        } else {
            return x / y;
        }
    }

  private:
    // R. L. Smith, Algorithm 116, CACM 5 (1962), as numpy does.
    template <typename T>
    static T of_complex(T x, T y) {
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

}  // namespace slab::kernels::expression
