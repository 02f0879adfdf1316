// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_LINE_LANES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_LINE_LANES
#undef SLAB_KERNELS_LINE_LANES
#else
#define SLAB_KERNELS_LINE_LANES
#endif

#include "daemon/kernels/sampling/sampled_plane.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// A vector of elements of a line, and where their taps lie: what all ways to sum up taps begin with.
template <typename T, int taps>
struct LineLanes {
    using D = hn::ScalableTag<T>;
    using V = hn::Vec<D>;
    using DD = hn::ScalableTag<double>;
    static constexpr D d{};
    static constexpr DD dd{};
    static constexpr int order = taps - 1;
    static constexpr std::int64_t most_lanes = HWY_MAX_BYTES / sizeof(T);

    static std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(d)); }

    static int taps_along(const TapGrid& grid, std::size_t axis) { return grid.is_sampled[axis] ? taps : 1; }

    // From the index of an element's middle tap among the samples to that of its first tap in the plane.
    static std::int64_t to_first(const TapGrid& grid) { return grid.padding + grid.margin - order / 2; }

    // Of order 1: the last sample is no middle tap, as none follows it.
    static double last_middle(const TapGrid& grid, std::size_t axis) {
        return static_cast<double>(grid.extents[axis] - grid.padding - 2);
    }

    static double middle_of(double coordinate, double last_middle) {
        if constexpr (taps == 2) {
            return std::min(std::floor(coordinate), last_middle);
        }
        return std::floor(order % 2 == 1 ? coordinate : coordinate + 0.5);
    }

    static HWY_INLINE hn::Vec<DD> middles_of(hn::Vec<DD> coordinates, double last_middle) {
        if constexpr (taps == 2) {
            return hn::Min(hn::Floor(coordinates), hn::Set(dd, last_middle));
        } else if constexpr (order % 2 == 1) {
            return hn::Floor(coordinates);
        } else {
            return hn::Floor(hn::Add(coordinates, hn::Set(dd, 0.5)));
        }
    }
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
