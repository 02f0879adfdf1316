#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/kernel.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace slab::kernels {

__extension__ typedef __int128 WideInteger;  // a product of two 63-bit numbers

// Which input element an output element shows. Users of different libraries mean different things by
// "nearest".
enum class ZoomConvention : std::uint8_t {
    scipy,       // scipy.ndimage.zoom's default: the corners' centres coincide
    scipy_grid,  // scipy.ndimage.zoom(grid_mode=True): the corners' outer edges coincide
    round,       // round half to even of k / factor: the loop that people write by hand
    floor,       // floor(k * n_in / n_out): OpenCV's and torch's nearest
};

// Empty for any other text.
std::optional<ZoomConvention> zoom_convention_named(std::string_view name);

// What a tile must know beside the arrays.
struct ZoomProgram {
    ZoomConvention convention;
    std::array<double, max_rank> factors;  // as the user gave them; n_out / n_in where a shape was given
    int order = 0;
    Boundary boundary = Boundary::nearest;  // scipy and scipy-grid
    double cval = 0.0;
};

// One axis. `step` is computed once, as scipy does, and rounds once: the coordinates below must not be
// simplified.
struct ZoomAxis {
    std::int64_t n_in = 1;
    std::int64_t n_out = 1;
    ZoomConvention convention = ZoomConvention::scipy;
    double step = 1.0;  // round: the factor, which divides; floor: unused
    // scipy-grid reaches from -0.5 to n_in-0.5. Output indices [inside_begin, inside_end) have coordinates within
    // [0, n_in-1]; beyond them `constant` shows cval and `wrap` the other end. The other modes show there what clamping
    // shows, and have no outside here.
    std::int64_t inside_begin = 0;
    std::int64_t inside_end = INT64_MAX;
    Boundary boundary = Boundary::nearest;
};

ZoomAxis zoom_axis(const ZoomProgram& program, int axis, std::int64_t n_in, std::int64_t n_out);

// Where output index k lies on average over the axis: step * k + offset. Of conventions that name an element only, without a
// slope: no systematic shift remains.
struct ZoomLine {
    double step = 1.0;
    double offset = 0.0;
};
ZoomLine zoom_line(const ZoomAxis& axis);

// True when every output index shows the same input index, so that the axis can be copied in runs.
bool is_unchanged(const ZoomAxis& axis);

inline bool is_inside(const ZoomAxis& axis, std::int64_t k) {
    return k >= axis.inside_begin && k < axis.inside_end;
}

// The input index of output index k, in whole-array coordinates (tiling cannot move a seam), clamped into the input. It
// never falls as k rises.
inline std::int64_t clamped_source_index(const ZoomAxis& axis, std::int64_t k) {
    if (axis.convention == ZoomConvention::floor) {
        return static_cast<std::int64_t>(static_cast<WideInteger>(k) * axis.n_in / axis.n_out);
    }
    const auto position = static_cast<double>(k);
    double nearest = 0.0;
    switch (axis.convention) {
    case ZoomConvention::scipy: nearest = std::floor(position * axis.step + 0.5); break;
    case ZoomConvention::scipy_grid: nearest = std::floor((position + 0.5) * axis.step - 0.5 + 0.5); break;
    default: nearest = std::nearbyint(position / axis.step); break;
    }
    const auto last = static_cast<double>(axis.n_in - 1);
    return static_cast<std::int64_t>(std::clamp(nearest, 0.0, last));
}

// What output index k shows: an input index, or `shows_cval`.
inline constexpr std::int64_t shows_cval = -1;
std::int64_t outside_source_index(const ZoomAxis& axis, std::int64_t k);
inline std::int64_t source_index(const ZoomAxis& axis, std::int64_t k) {
    return is_inside(axis, k) ? clamped_source_index(axis, k) : outside_source_index(axis, k);
}

// The input indices that output indices [begin, end) depend on; neither end moves back from one range to the next.
AxisRange source_range(const ZoomAxis& axis, AxisRange output);

}  // namespace slab::kernels
