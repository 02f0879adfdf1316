// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_MEDIAN_SELECTION) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_MEDIAN_SELECTION
#undef SLAB_KERNELS_MEDIAN_SELECTION
#else
#define SLAB_KERNELS_MEDIAN_SELECTION
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
HWY_INLINE void sort_two(V& a, V& b) {
    const V low = hn::Min(a, b);
    b = hn::Max(a, b);
    a = low;
}

template <class V>
HWY_INLINE V median_of_three(V a, V b, V c) {
    sort_two(a, b);
    return hn::Max(a, hn::Min(b, c));
}

// Of `count` vectors at `set` the smallest comes first and the largest last, lane by lane.
template <class D, typename Key = hn::TFromD<D>>
HWY_INLINE void part_extremes(D d, Key* set, std::int64_t count) {
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t i = 0; i < count / 2; ++i) {
        auto low = hn::Load(d, set + i * n);
        auto high = hn::Load(d, set + (count - 1 - i) * n);
        sort_two(low, high);
        hn::Store(low, d, set + i * n);
        hn::Store(high, d, set + (count - 1 - i) * n);
    }
    auto least = hn::Load(d, set);
    for (std::int64_t i = 1; i < (count + 1) / 2; ++i) {
        auto other = hn::Load(d, set + i * n);
        sort_two(least, other);
        hn::Store(other, d, set + i * n);
    }
    hn::Store(least, d, set);
    auto most = hn::Load(d, set + (count - 1) * n);
    for (std::int64_t i = count / 2; i < count - 1; ++i) {
        auto other = hn::Load(d, set + i * n);
        sort_two(other, most);
        hn::Store(other, d, set + i * n);
    }
    hn::Store(most, d, set + (count - 1) * n);
}

// Forgetful selection: of just more than half of the elements neither the smallest nor the largest can be the median;
// both are forgotten for one new element, until three are left. element_at(i): a vector of the windows' i-th elements.
// set: room for count / 2 + 2 vectors, aligned. An even number is completed by one that is larger than all.
template <class D, class ElementAt, typename Key = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> median_by_forgetting(D d, std::int64_t count, Key* set, const ElementAt& element_at) {
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    if (count == 1) {
        return element_at(0);
    }
    std::int64_t taken = 0;
    std::int64_t held = count / 2 + 2;
    for (std::int64_t i = 0; i < held; ++i) {
        const bool is_missing = i == held - 1 && count % 2 == 0;
        hn::Store(is_missing ? hn::Set(d, std::numeric_limits<Key>::max()) : element_at(taken++), d,
                  set + i * n);
    }
    for (; held > 3; --held) {
        part_extremes(d, set, held);
        hn::Store(element_at(taken++), d, set);
    }
    return median_of_three(hn::Load(d, set), hn::Load(d, set + n), hn::Load(d, set + 2 * n));
}

// The largest value that at most `rank` elements lie below, found bit by bit from the top; the number of elements must fit
// into a lane. for_each(visit) calls visit(vector) for each element of the windows.
template <class D, class ForEach, typename Key = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> selected_by_bits(D d, std::int64_t rank, const ForEach& for_each) {
    using Bits = hwy::MakeUnsigned<Key>;
    const hn::RebindToUnsigned<D> counts;
    const auto most_below = hn::Set(counts, static_cast<Bits>(rank));
    auto value = hn::Set(d, std::numeric_limits<Key>::min());
    for (Bits bit = static_cast<Bits>(Bits(1) << (8 * sizeof(Bits) - 1)); bit != 0;
         bit = static_cast<Bits>(bit >> 1)) {
        const auto candidate = hn::Xor(value, hn::BitCast(d, hn::Set(counts, bit)));
        auto below = hn::Zero(counts);
        for_each([&](hn::Vec<D> element) HWY_ATTR {
            below = hn::Sub(below, hn::BitCast(counts, hn::VecFromMask(d, hn::Lt(element, candidate))));
        });
        value = hn::IfThenElse(hn::RebindMask(d, hn::Lt(most_below, below)), value, candidate);
    }
    return value;
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
