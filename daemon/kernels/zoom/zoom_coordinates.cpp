#include "daemon/kernels/zoom/zoom_coordinates.hpp"

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
    return {n_in, n_out, program.convention, step_of(program, axis, n_in, n_out)};
}

bool is_unchanged(const ZoomAxis& axis) {
    // A factor of 1.001 may keep the size and still repeat an element under `round`.
    return axis.n_in == axis.n_out &&
           (axis.convention == ZoomConvention::floor || axis.step == 1.0 || axis.n_in == 1);
}

}  // namespace slab::kernels
