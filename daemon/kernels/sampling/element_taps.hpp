#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/sampling/pull_back.hpp"
#include "daemon/kernels/sampling/tap_block.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

// A plane of samples or coefficients as a spline sees it.
struct TapGrid {
    int order = 3;
    Boundary boundary = Boundary::constant;
    std::array<bool, space_axes> is_sampled{};
    SpaceExtents extents{1, 1, 1};  // with the padding, without the margin
    SpaceExtents pitches{0, 0, 1};  // in elements
    std::int64_t padding = 0;       // beyond each end of each sampled axis; see SamplingProgram
    std::int64_t margin = 0;
    std::int64_t elements = 0;  // of the plane, with both
};

// Which taps one element reads, whatever its coordinate: the boundary is applied to the coordinate, then to each tap.
struct ElementTaps {
    bool is_outside = false;                // no tap at all: cval
    std::array<double, space_axes> rest{};  // of the coordinate, from the middle tap (spline.hpp)
    TapOffsets offsets;
};

ElementTaps element_taps(const TapGrid& grid, const LineCoordinates& line, std::int64_t x);

}  // namespace slab::kernels
