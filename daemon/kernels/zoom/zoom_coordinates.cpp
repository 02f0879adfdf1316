#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <numeric>

namespace slab::kernels {
namespace {

double step_of(const ZoomProgram& program, int axis, std::int64_t n_in, std::int64_t n_out) {
    switch (program.convention) {
    case ZoomConvention::scipy:
        return n_out == 1 ? 1.0 : static_cast<double>(n_in - 1) / static_cast<double>(n_out - 1);
    case ZoomConvention::scipy_grid: return static_cast<double>(n_in) / static_cast<double>(n_out);
    case ZoomConvention::round: return program.factors[static_cast<std::size_t>(axis)];
    case ZoomConvention::floor: break;
    }
    return 1.0;
}

double grid_coordinate(const ZoomAxis& axis, std::int64_t k) {
    return (static_cast<double>(k) + 0.5) * axis.step - 0.5;
}

// The first output index at which `holds` holds, which never ends to hold; n_out if it nowhere does.
template <class Claim>
std::int64_t first_index(std::int64_t n_out, const Claim& holds) {
    std::int64_t below = 0;
    std::int64_t above = n_out;
    while (below < above) {
        const std::int64_t middle = below + (above - below) / 2;
        if (holds(middle)) {
            above = middle;
        } else {
            below = middle + 1;
        }
    }
    return below;
}

}  // namespace

std::optional<ZoomConvention> zoom_convention_named(std::string_view name) {
    if (name == "scipy") {
        return ZoomConvention::scipy;
    }
    if (name == "scipy-grid") {
        return ZoomConvention::scipy_grid;
    }
    if (name == "round") {
        return ZoomConvention::round;
    }
    if (name == "floor") {
        return ZoomConvention::floor;
    }
    return std::nullopt;
}

ZoomAxis zoom_axis(const ZoomProgram& program, int axis, std::int64_t n_in, std::int64_t n_out) {
    ZoomAxis zoom{.n_in = n_in,
                  .n_out = n_out,
                  .convention = program.convention,
                  .step = step_of(program, axis, n_in, n_out)};
    const bool has_outside = program.boundary == Boundary::constant || program.boundary == Boundary::wrap;
    if (program.convention == ZoomConvention::scipy_grid && has_outside) {
        const auto last = static_cast<double>(n_in - 1);
        zoom.boundary = program.boundary;
        zoom.inside_begin =
            first_index(n_out, [&](std::int64_t k) { return grid_coordinate(zoom, k) >= 0.0; });
        zoom.inside_end = first_index(n_out, [&](std::int64_t k) { return grid_coordinate(zoom, k) > last; });
    }
    return zoom;
}

ZoomLine zoom_line(const ZoomAxis& axis) {
    const double ratio = static_cast<double>(axis.n_in) / static_cast<double>(axis.n_out);
    const ZoomLine areas{ratio, 0.5 * ratio - 0.5};
    switch (axis.convention) {
    // All output elements show the only input element: parts of its area.
    case ZoomConvention::scipy: return axis.step > 0.0 ? ZoomLine{axis.step, 0.0} : areas;
    case ZoomConvention::scipy_grid: return areas;
    case ZoomConvention::round: return {1.0 / axis.step, 0.0};
    case ZoomConvention::floor: break;
    }
    // The mean of what floor() cuts off: k * p/q, in lowest terms, has the fractions 0, 1/q ... (q-1)/q.
    const std::int64_t denominator = axis.n_out / std::gcd(axis.n_in, axis.n_out);
    const auto q = static_cast<double>(denominator);
    return {ratio, -(q - 1.0) / (2.0 * q)};
}

bool is_unchanged(const ZoomAxis& axis) {
    // A factor of 1.001 may keep the size and still repeat an element under `round`.
    return axis.n_in == axis.n_out &&
           (axis.convention == ZoomConvention::floor || axis.step == 1.0 || axis.n_in == 1);
}

std::int64_t outside_source_index(const ZoomAxis& axis, std::int64_t k) {
    const std::optional<double> coordinate =
        map_coordinate(grid_coordinate(axis, k), axis.n_in, axis.boundary);
    if (!coordinate) {
        return shows_cval;
    }
    const auto nearest = static_cast<std::int64_t>(std::floor(*coordinate + 0.5));
    return map_index(nearest, axis.n_in, axis.boundary).value_or(shows_cval);
}

AxisRange source_range(const ZoomAxis& axis, AxisRange output) {
    // The ends read each other: nothing but the whole axis serves both, and keeps its place from band to band.
    if (axis.boundary == Boundary::wrap && !is_unchanged(axis)) {
        return {0, axis.n_in};
    }
    return {clamped_source_index(axis, output.begin), clamped_source_index(axis, output.end - 1) + 1};
}

}  // namespace slab::kernels
