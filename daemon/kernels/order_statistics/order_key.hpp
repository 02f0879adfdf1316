#pragma once

#include "daemon/kernels/interpolation/element_value.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace slab::kernels {

// Elements are compared as integers, their keys, in numpy.sort's order made total: -0 lies below 0, all NaNs are one,
// above infinity. So every result is defined, and instruction sets cannot differ on NaNs.
// Types of a size share a type of key, the one that x86 compares fastest.
template <typename Element>
using OrderKey = std::conditional_t<
    sizeof(Element) == 1, std::uint8_t,
    std::conditional_t<sizeof(Element) == 2, std::uint16_t,
                       std::conditional_t<sizeof(Element) == 4, std::int32_t, std::int64_t>>>;

template <typename Element>
inline OrderKey<Element> order_key(Element element) {
    using Key = OrderKey<Element>;
    using Bits = std::make_unsigned_t<Key>;
    constexpr Bits top = static_cast<Bits>(Bits(1) << (8 * sizeof(Bits) - 1));
    if constexpr (std::is_same_v<Element, Bool>) {
        return static_cast<Key>(element.byte != 0 ? 1 : 0);
    } else if constexpr (std::is_floating_point_v<Element>) {
        if (element != element) {
            return std::bit_cast<Key>(std::numeric_limits<Element>::quiet_NaN());
        }
        const Key bits = std::bit_cast<Key>(element);
        return bits < 0 ? static_cast<Key>(bits ^ std::numeric_limits<Key>::max()) : bits;
    } else if constexpr (std::is_signed_v<Element> != std::is_signed_v<Key>) {
        return static_cast<Key>(static_cast<Bits>(element) ^ top);
    } else {
        return static_cast<Key>(element);
    }
}

template <typename Element>
inline Element element_of_key(OrderKey<Element> key) {
    using Key = OrderKey<Element>;
    using Bits = std::make_unsigned_t<Key>;
    constexpr Bits top = static_cast<Bits>(Bits(1) << (8 * sizeof(Bits) - 1));
    if constexpr (std::is_same_v<Element, Bool>) {
        return {key};
    } else if constexpr (std::is_floating_point_v<Element>) {
        return std::bit_cast<Element>(key < 0 ? static_cast<Key>(key ^ std::numeric_limits<Key>::max())
                                              : key);
    } else if constexpr (std::is_signed_v<Element> != std::is_signed_v<Key>) {
        return static_cast<Element>(static_cast<Bits>(key) ^ top);
    } else {
        return static_cast<Element>(key);
    }
}

}  // namespace slab::kernels
