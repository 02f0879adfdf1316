// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ELEMENT_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ELEMENT_ROWS
#undef SLAB_KERNELS_ELEMENT_ROWS
#else
#define SLAB_KERNELS_ELEMENT_ROWS
#endif

#include "daemon/kernels/interpolation/element_value.hpp"

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Plain loops, which the compiler turns into vectors of this instruction set: element by element they are the
// functions of element_value.hpp, so that a row's end is rounded as its middle.
// Rows of complex numbers are rows of twice as many parts; addresses may be odd.
template <typename Element, typename T>
void load_row_of(const std::byte* from, T* HWY_RESTRICT to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        Element element;
        std::memcpy(&element, from + i * static_cast<std::int64_t>(sizeof(Element)), sizeof(Element));
        to[i] = as_working<Element, T>(element);
    }
}

template <typename Element, typename T>
void store_row_of(const T* HWY_RESTRICT from, std::byte* to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto element = as_element<Element>(from[i]);
        std::memcpy(to + i * static_cast<std::int64_t>(sizeof(Element)), &element, sizeof(Element));
    }
}

// Reads exactly `count` elements from `from` and writes exactly as many to `to`.
template <typename T>
HWY_INLINE void load_row(const std::byte* from, DType dtype, T* to, std::int64_t count) {
    with_element_type(dtype, [&]<typename Element>(Element) {
        if constexpr (std::is_same_v<Element, T>) {
            std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
        } else {
            load_row_of<Element>(from, to, count);
        }
    });
}

template <typename T>
HWY_INLINE void store_row(const T* from, std::byte* to, DType dtype, std::int64_t count) {
    with_element_type(dtype, [&]<typename Element>(Element) {
        if constexpr (std::is_same_v<Element, T>) {
            std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
        } else {
            store_row_of<Element>(from, to, count);
        }
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
