#pragma once

#include <complex>
#include <limits>
#include <type_traits>

namespace slab::kernels {

// Every NaN becomes the one that numpy.nan is. Which operand's NaN, and which sign, an x86 product or sum of
// two keeps depends on their order, which compilers exchange at will: without this, two builds, or two rows
// of one result, could differ in bits.
template <typename T>
T with_one_nan(T value) {
    return value == value ? value : std::numeric_limits<T>::quiet_NaN();
}

// What `*` means for each dtype, as numpy has it. Compile with -ffp-contract=off: a fused multiply-add in the
// complex product would round once where numpy rounds twice.
template <typename T>
T product(T a, T b) {
    if constexpr (std::is_same_v<T, bool>) {
        return a && b;
    } else if constexpr (std::is_integral_v<T>) {
        // Unsigned and at least as wide as int: overflow of a promoted uint16 would be undefined.
        using Wide = std::common_type_t<std::make_unsigned_t<T>, unsigned>;
        return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b));
    } else if constexpr (std::is_floating_point_v<T>) {
        return with_one_nan(a * b);
    } else {
        return {with_one_nan(a.real() * b.real() - a.imag() * b.imag()),
                with_one_nan(a.real() * b.imag() + a.imag() * b.real())};
    }
}

}  // namespace slab::kernels
