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
namespace hn = hwy::HWY_NAMESPACE;

// Element by element these are the functions of element_value.hpp, so that a row's end is rounded as its middle. The
// compiler turns plain loops into vectors of this instruction set, but for the rounding.
// Rows of complex numbers are rows of twice as many parts; addresses may be odd.
template <typename Element, typename T>
void load_row_of(const std::byte* from, T* HWY_RESTRICT to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        Element element;
        std::memcpy(&element, from + i * static_cast<std::int64_t>(sizeof(Element)), sizeof(Element));
        to[i] = as_working<Element, T>(element);
    }
}

// rounded() in vectors, where its range's ends are exact in T and the result fits 32 bits.
template <typename Element, typename T>
inline constexpr bool rounds_in_vectors = std::is_integral_v<Element> &&
                                          (sizeof(Element) <= 2 ||
                                           (std::is_same_v<Element, std::int32_t> && sizeof(T) == 8));

template <typename Element, class D, typename T = hn::TFromD<D>>
HWY_INLINE void store_rounded_vector(D d, hn::Vec<D> value, std::byte* to) {
    using Limits = std::numeric_limits<Element>;
    value = hn::IfThenElseZero(hn::Eq(value, value), value);
    value = hn::Max(value, hn::Set(d, static_cast<T>(Limits::min())));
    value = hn::Min(value, hn::Set(d, static_cast<T>(Limits::max())));
    const auto whole = hn::Trunc(value);
    const auto is_half = hn::Ge(hn::Abs(hn::Sub(value, whole)), hn::Set(d, T(0.5)));
    const auto nearest = hn::Add(whole, hn::IfThenElseZero(is_half, hn::CopySign(hn::Set(d, T(1)), value)));
    const hn::Rebind<std::int32_t, D> d32;
    const auto integers = [&]() HWY_ATTR {
        if constexpr (sizeof(T) == 4) {
            return hn::ConvertTo(d32, nearest);
        } else {
            return hn::DemoteTo(d32, nearest);
        }
    }();
    const hn::Rebind<Element, D> narrow;
    alignas(64) Element elements[hn::MaxLanes(d)];
    if constexpr (sizeof(Element) == 4) {
        hn::StoreU(integers, narrow, elements);
    } else {
        hn::StoreU(hn::DemoteTo(narrow, integers), narrow, elements);
    }
    std::memcpy(to, elements, hn::Lanes(d) * sizeof(Element));
}

template <typename Element, typename T>
void store_row_of(const T* HWY_RESTRICT from, std::byte* to, std::int64_t count) {
    constexpr auto bytes = static_cast<std::int64_t>(sizeof(Element));
    std::int64_t i = 0;
    if constexpr (rounds_in_vectors<Element, T>) {
        const hn::ScalableTag<T> d;
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
        for (; i + lanes <= count; i += lanes) {
            store_rounded_vector<Element>(d, hn::LoadU(d, from + i), to + i * bytes);
        }
    }
    for (; i < count; ++i) {
        const auto element = as_element<Element>(from[i]);
        std::memcpy(to + i * bytes, &element, sizeof(Element));
    }
}

// Reads exactly `count` elements from `from` and writes exactly as many to `to`. Not inline, nor is store_row: loops for all
// types are much to compile at every call.
template <typename T>
HWY_NOINLINE void load_row(const std::byte* from, DType dtype, T* to, std::int64_t count) {
    with_element_type(dtype, [&]<typename Element>(Element) {
        if constexpr (std::is_same_v<Element, T>) {
            std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
        } else {
            load_row_of<Element>(from, to, count);
        }
    });
}

template <typename T>
HWY_NOINLINE void store_row(const T* from, std::byte* to, DType dtype, std::int64_t count) {
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
