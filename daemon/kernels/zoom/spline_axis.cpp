#include "daemon/kernels/zoom/spline_axis.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels {

double zoom_coordinate(const ZoomAxis& axis, std::int64_t k) {
    switch (axis.convention) {
    case ZoomConvention::scipy:
        // k * step may exceed the last sample by one rounding; scipy then writes cval, which is its known fault.
        return std::min(static_cast<double>(k) * axis.step, static_cast<double>(axis.n_in - 1));
    case ZoomConvention::scipy_grid: return (static_cast<double>(k) + 0.5) * axis.step - 0.5;
    default: return static_cast<double>(source_index(axis, k));
    }
}

std::optional<SplineTaps> taps_at(const SplineAxis& axis, std::int64_t k) {
    const double coordinate = zoom_coordinate(axis.zoom, k);
    // nearest maps taps, not coordinates: a spline of order 2 or more still bends within half a sample beyond an end.
    if (axis.has_own_coefficients_beyond || axis.boundary == Boundary::nearest) {
        return spline_taps(coordinate, axis.order);
    }
    const std::optional<double> mapped = map_coordinate(coordinate, axis.zoom.n_in, axis.boundary);
    return mapped ? std::optional(spline_taps(*mapped, axis.order)) : std::nullopt;
}

std::optional<std::int64_t> tap_source(const SplineAxis& axis, std::int64_t index) {
    return axis.has_own_coefficients_beyond ? index + axis.padding
                                            : map_index(index, axis.zoom.n_in, axis.boundary);
}

AxisRange interpolated_range(const SplineAxis& axis, AxisRange rows) {
    if (axis.boundary != Boundary::constant) {
        return rows;
    }
    const auto is_outside = [&](std::int64_t k) {
        return !map_coordinate(zoom_coordinate(axis.zoom, k), axis.zoom.n_in, axis.boundary);
    };
    while (rows.begin < rows.end && is_outside(rows.begin)) {
        ++rows.begin;
    }
    while (rows.begin < rows.end && is_outside(rows.end - 1)) {
        --rows.end;
    }
    return rows;
}

AxisRange tap_reads(const SplineAxis& axis, AxisRange rows) {
    const std::int64_t n = axis.zoom.n_in;
    const bool wraps =
        axis.boundary == Boundary::grid_wrap ||
        (axis.boundary == Boundary::wrap && axis.zoom.convention == ZoomConvention::scipy_grid);
    if (wraps) {
        return {0, n};
    }
    // What is mapped is at most half a sample beyond an end, and its taps half an order beyond that: it falls on samples
    // that are as near to the end inside. The margin covers both sides.
    const std::int64_t margin = axis.order + 2;
    const auto first = static_cast<std::int64_t>(std::floor(zoom_coordinate(axis.zoom, rows.begin)));
    const auto last = static_cast<std::int64_t>(std::ceil(zoom_coordinate(axis.zoom, rows.end - 1)));
    const std::int64_t length = n + 2 * axis.padding;
    return {std::clamp<std::int64_t>(first - margin + axis.padding, 0, length - 1),
            std::clamp<std::int64_t>(last + margin + 1 + axis.padding, 1, length)};
}

}  // namespace slab::kernels
