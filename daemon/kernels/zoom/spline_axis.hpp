#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/spline.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace slab::kernels {

// One axis of a zoom that interpolates.
struct SplineAxis {
    ZoomAxis zoom;
    int order = 1;
    Boundary boundary = Boundary::constant;
    // An axis whose size stays is passed through, unless its coefficients were given: those are no samples.
    bool is_interpolated = true;
    // The array that is interpolated has so many more coefficients at both ends, or its rows are filtered as they are
    // loaded: coordinates and taps beyond the ends are then not mapped.
    bool has_own_coefficients_beyond = false;
    std::int64_t padding = 0;
};

using SplineAxes = std::array<SplineAxis, max_rank>;

// The coordinate of output index k among the input's samples: within [0, n-1] for scipy, [-0.5, n-0.5] for scipy-grid.
double zoom_coordinate(const ZoomAxis& axis, std::int64_t k);

// The taps of output index k; empty: all of it is cval. Their indices may lie beyond the ends: see tap_source.
std::optional<SplineTaps> taps_at(const SplineAxis& axis, std::int64_t k);

// Where in the interpolated array the tap at `index` lies; empty: cval.
std::optional<std::int64_t> tap_source(const SplineAxis& axis, std::int64_t index);

// Which output indices of [begin, end) are not cval: one run.
AxisRange interpolated_range(const SplineAxis& axis, AxisRange rows);

// Which samples output indices [rows.begin, rows.end) depend on through their taps; all where an end reads the other.
AxisRange tap_reads(const SplineAxis& axis, AxisRange rows);

}  // namespace slab::kernels
