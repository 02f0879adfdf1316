#pragma once

#include "daemon/kernels/expression/binary_operations.hpp"

// What each operation of one operand makes of one element: see binary_operations.hpp.
namespace slab::kernels::expression {

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
