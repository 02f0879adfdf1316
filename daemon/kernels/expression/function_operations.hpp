#pragma once

#include "daemon/kernels/expression/unary_operations.hpp"

#include <cmath>
#include <complex>

// The operations that the C library computes, element by element. As in numpy, complex ones are C99's.
namespace slab::kernels::expression {

#define SLAB_LIBRARY_FUNCTION(Name, function)                                                                \
    struct Name {                                                                                            \
        template <typename T>                                                                                \
        static T apply(T x) {                                                                                \
            return function(x);                                                                              \
        }                                                                                                    \
    }
SLAB_LIBRARY_FUNCTION(SquareRoot, std::sqrt);
SLAB_LIBRARY_FUNCTION(Exp, std::exp);
SLAB_LIBRARY_FUNCTION(Log, std::log);
SLAB_LIBRARY_FUNCTION(Sin, std::sin);
SLAB_LIBRARY_FUNCTION(Cos, std::cos);
SLAB_LIBRARY_FUNCTION(Tan, std::tan);
SLAB_LIBRARY_FUNCTION(Arcsin, std::asin);
SLAB_LIBRARY_FUNCTION(Arccos, std::acos);
SLAB_LIBRARY_FUNCTION(Arctan, std::atan);
SLAB_LIBRARY_FUNCTION(Sinh, std::sinh);
SLAB_LIBRARY_FUNCTION(Cosh, std::cosh);
SLAB_LIBRARY_FUNCTION(Tanh, std::tanh);
#undef SLAB_LIBRARY_FUNCTION

// Of these the C library knows no complex one: as numpy writes them.
struct Expm1 {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            const auto half = std::sin(x.imag() / 2);
            return {std::expm1(x.real()) * std::cos(x.imag()) - 2 * half * half,
                    std::exp(x.real()) * std::sin(x.imag())};
        } else {
            return std::expm1(x);
        }
    }
};
struct Log2 {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            return std::log(x) * typename T::value_type(1.442695040888963407359924681001892137);
        } else {
            return std::log2(x);
        }
    }
};
struct Log10 {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            return std::log(x) * typename T::value_type(0.434294481903251827651128918916605082);
        } else {
            return std::log10(x);
        }
    }
};
struct Log1p {
    template <typename T>
    static T apply(T x) {
        if constexpr (is_complex_type<T>) {
            return {std::log(std::hypot(x.real() + 1, x.imag())), std::atan2(x.imag(), x.real() + 1)};
        } else {
            return std::log1p(x);
        }
    }
};

struct Arctan2 {
    template <typename T>
    static T apply(T y, T x) {
        return std::atan2(y, x);
    }
};
struct Hypot {
    template <typename T>
    static T apply(T x, T y) {
        return std::hypot(x, y);
    }
};

struct Power {
    template <typename T>
    static T apply(T x, T y) {
        if constexpr (std::integral<T>) {
            return of_integers(x, y);
        } else if constexpr (is_complex_type<T>) {
            return of_complex(x, y);
        } else {
            return std::pow(x, y);
        }
    }

  private:
    // By squaring, wrapping around. Where numpy raises an error (y < 0) it is the exact value cut to a whole number.
    template <typename T>
    static T of_integers(T x, T y) {
        if constexpr (std::is_signed_v<T>) {
            if (y < 0) {
                return x == 1 ? T(1) : x == -1 ? (y % 2 == 0 ? T(1) : T(-1)) : T(0);
            }
        }
        T result = 1;
        for (auto rest = static_cast<std::make_unsigned_t<T>>(y); rest != 0; rest >>= 1) {
            result = (rest & 1) != 0 ? Multiply::apply(result, x) : result;
            x = Multiply::apply(x, x);
        }
        return result;
    }

    // As numpy: small whole exponents by multiplication.
    template <typename T>
    static T of_complex(T x, T y) {
        using P = typename T::value_type;
        const P nan = std::numeric_limits<P>::quiet_NaN();
        if (y == T(0)) {
            return T(1);
        }
        if (x == T(0)) {
            return y.real() > 0 && y.imag() == 0 ? T(0) : T(nan, nan);
        }
        if (y.imag() != 0 || std::abs(y.real()) >= 100 || std::trunc(y.real()) != y.real()) {
            return std::pow(x, y);
        }
        if (y.real() == 1) {
            return x;
        }
        if (y.real() == 2 || y.real() == 3) {
            const T square = Multiply::apply(x, x);
            return y.real() == 2 ? square : Multiply::apply(x, square);
        }
        T result(1);
        for (int rest = static_cast<int>(std::abs(y.real())); rest != 0; rest >>= 1) {
            result = (rest & 1) != 0 ? Multiply::apply(result, x) : result;
            x = Multiply::apply(x, x);
        }
        return y.real() < 0 ? Divide::apply(T(1), result) : result;
    }
};

}  // namespace slab::kernels::expression
