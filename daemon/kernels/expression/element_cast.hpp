#pragma once

#include "daemon/kernels/expression/element_type.hpp"

#include <limits>

namespace slab::kernels::expression {

// What x86 makes of a real number that an integer type cannot hold, and so what numpy shows there, is the least integer
// of a wider type, cut. Written out, because to C++ it is undefined.
template <std::integral Integer, std::floating_point Real>
inline Integer integer_of(Real x) {
    if constexpr (std::is_same_v<Integer, std::uint64_t>) {
        constexpr auto half = static_cast<Real>(9223372036854775808.0);
        return x >= half ? static_cast<Integer>(integer_of<std::int64_t>(x - half)) ^ (std::uint64_t{1} << 63)
                         : static_cast<Integer>(integer_of<std::int64_t>(x));
    } else {
        using Wide = std::conditional_t<sizeof(Integer) < 4 || std::is_same_v<Integer, std::int32_t>,
                                        std::int32_t, std::int64_t>;
        // One beyond the largest, which every Real holds exactly.
        constexpr auto beyond = -static_cast<Real>(std::numeric_limits<Wide>::min());
        const bool fits =
            sizeof(Real) > sizeof(Wide) ? x > -beyond - 1 && x < beyond : x >= -beyond && x < beyond;
        return static_cast<Integer>(fits ? static_cast<Wide>(x) : std::numeric_limits<Wide>::min());
    }
}

// numpy's astype: integers wrap around, real numbers are cut off, of complex ones the imaginary part is dropped, and to
// bool everything but 0 is true.
struct Cast {
    template <typename To, typename From>
    static To apply(From x) {
        if constexpr (std::is_same_v<To, From>) {
            return x;
        } else if constexpr (std::is_same_v<To, bool>) {
            return x != From(0);
        } else if constexpr (is_complex_type<From> && !is_complex_type<To>) {
            return apply<To>(x.real());
        } else if constexpr (is_complex_type<To>) {
            using P = typename To::value_type;
            if constexpr (is_complex_type<From>) {
                return {static_cast<P>(x.real()), static_cast<P>(x.imag())};
            } else {
                return {static_cast<P>(x), P(0)};
            }
        } else if constexpr (std::integral<To> && std::floating_point<From>) {
            return integer_of<To>(x);
        } else {
            return static_cast<To>(x);
        }
    }
};

}  // namespace slab::kernels::expression
