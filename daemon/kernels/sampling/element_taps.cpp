#include "daemon/kernels/sampling/element_taps.hpp"

#include <cmath>
#include <optional>

namespace slab::kernels {

ElementTaps element_taps(const TapGrid& grid, const LineCoordinates& line, std::int64_t x) {
    ElementTaps taps;
    for (std::size_t axis = 0; axis < space_axes; ++axis) {
        if (!grid.is_sampled[axis]) {
            continue;
        }
        const std::int64_t n = grid.extents[axis];
        const double coordinate = line.at(axis, x) + static_cast<double>(grid.padding);
        const double mapped = map_coordinate(coordinate, n, grid.boundary).value_or(NAN);
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
            taps.offsets.along[axis][static_cast<std::size_t>(tap)] = index ? *index * grid.pitches[axis] : -1;
        }
    }
    return taps;
}

}  // namespace slab::kernels
