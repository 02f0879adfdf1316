// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_LEVEL) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_LEVEL
#undef SLAB_KERNELS_SPLINE_LEVEL
#else
#define SLAB_KERNELS_SPLINE_LEVEL
#endif

#include "daemon/kernels/zoom/spline_axis.hpp"

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// One axis slower than the rows, of one tile.
struct Level {
    bool is_zoomed = false;
    SplineAxis spline{};
    std::int64_t begin = 0;  // the tile's output indices
    std::int64_t end = 1;
    std::int64_t extent = 1;        // of the output
    std::int64_t step = 1;          // indices of one block
    AxisRange block{};              // the one at hand
    std::int64_t source_pitch = 0;  // in parts
    std::int64_t target_pitch = 0;
};

// What a level's results are sums of: blocks of everything faster, one for each tap's index, kept until another index
// takes the place.
template <typename T>
struct Ring {
    T* blocks = nullptr;
    std::int64_t pitch = 0;  // from one block to the next
    std::array<std::int64_t, most_order + 1> indices{};
};

inline constexpr std::int64_t no_index = INT64_MIN;

template <typename T>
struct LevelTaps {
    std::int64_t first;
    T weights[most_order + 1];
};

template <typename T>
LevelTaps<T> taps_of_level(const Level& level, std::int64_t k) {
    const SplineTaps taps = *taps_at(level.spline, k);
    LevelTaps<T> of_type;
    of_type.first = taps.first;
    for (std::size_t tap = 0; tap <= most_order; ++tap) {
        of_type.weights[tap] = static_cast<T>(taps.weights[tap]);
    }
    return of_type;
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
