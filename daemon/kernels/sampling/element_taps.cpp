#include "daemon/kernels/sampling/element_taps.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace slab::kernels {
namespace {

// Where scipy's splines look a coordinate up; not a number: nowhere. As nearest it leaves it where it is and brings each
// tap back to the end, so that beyond the padding the value is the last coefficient.
double coordinate_to_look_up(const TapGrid& grid, double coordinate, std::int64_t n) {
    if (grid.boundary == Boundary::nearest) {
        constexpr double farthest = most_taps;
        return std::clamp(coordinate, 1.0 - farthest, static_cast<double>(n - 2) + farthest);
    }
    return map_coordinate(coordinate, n, grid.boundary).value_or(NAN);
}

}  // namespace

ElementTaps element_taps(const TapGrid& grid, const LineCoordinates& line, std::int64_t x) {
    ElementTaps taps;
    for (std::size_t axis = 0; axis < space_axes; ++axis) {
        if (!grid.is_sampled[axis]) {
            continue;
        }
        const std::int64_t n = grid.extents[axis];
        const double coordinate = line.at(axis, x) + static_cast<double>(grid.padding);
        const double mapped = coordinate_to_look_up(grid, coordinate, n);
        // Only grid-constant leaves a coordinate far outside, where every tap is cval; the coordinate is not a number
        // where the matrix makes infinities.
        if (!(mapped > static_cast<double>(-most_taps) && mapped < static_cast<double>(n + most_taps))) {
            taps.is_outside = true;
            return taps;
        }
        const double middle = std::floor(grid.order % 2 == 1 ? mapped : mapped + 0.5);
        const std::int64_t first = static_cast<std::int64_t>(middle) - grid.order / 2;
        taps.rest[axis] = mapped - middle;
        taps.offsets.count[axis] = grid.order + 1;
        for (int tap = 0; tap <= grid.order; ++tap) {
            const std::optional<std::int64_t> index = map_index(first + tap, n, grid.boundary);
            taps.offsets.along[axis][static_cast<std::size_t>(tap)] =
                index ? (*index + grid.margin) * grid.pitches[axis] : -1;
        }
    }
    return taps;
}

}  // namespace slab::kernels
