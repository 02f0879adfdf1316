#pragma once

#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/sampling/sampled_plane.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace slab::kernels {

// A tile of the output by what its axes are. A missing axis has one index.
struct SamplingTile {
    std::array<AxisRange, 2> outer{{{0, 1}, {0, 1}}};
    std::array<AxisRange, space_axes> space{{{0, 1}, {0, 1}, {0, 1}}};
    std::array<AxisRange, 2> inner{{{0, 1}, {0, 1}}};
    std::int64_t outer_pitch = 1;  // extent of the faster outer axis
    std::int64_t inner_pitch = 1;  // of the faster inner axis
};

inline SamplingTile sampling_tile(const SamplingProgram& program, const Shape& shape, const Box& tile) {
    SamplingTile found;
    const auto range = [&](int axis) {
        const auto a = static_cast<std::size_t>(axis);
        return AxisRange{tile.begin[a], tile.end[a]};
    };
    const int space_end = program.outer_axes + program.space_rank;
    const auto outer = found.outer.end() - program.outer_axes;
    for (int axis = 0; axis < program.outer_axes; ++axis) {
        outer[axis] = range(axis);
        found.outer_pitch = shape[axis];
    }
    for (int axis = 0; axis < program.space_rank; ++axis) {
        found.space[space_axes - static_cast<std::size_t>(program.space_rank - axis)] =
            range(program.outer_axes + axis);
    }
    const auto inner = found.inner.end() - program.inner_axes;
    for (int axis = 0; axis < program.inner_axes; ++axis) {
        inner[axis] = range(space_end + axis);
        found.inner_pitch = shape[space_end + axis];
    }
    return found;
}

// What the last phase reads: coefficients or planes of an earlier phase, or the input itself.
inline const ConstArrayView& sampled_array(const SamplingProgram& program, const TileCall& call) {
    if (const auto planes = workspace_of(program, SamplingPhase::planes)) {
        return call.workspaces[*planes];
    }
    if (const auto coefficients = workspace_of(program, SamplingPhase::filter)) {
        return call.workspaces[*coefficients];
    }
    return call.inputs[0];
}

inline TapGrid tap_grid(const SamplingProgram& program) {
    TapGrid grid;
    grid.order = program.order;
    grid.boundary = program.boundary;
    grid.is_sampled = program.is_sampled;
    grid.padding = program.padding;
    grid.margin = program.margin;
    SpaceExtents stored{1, 1, 1};
    for (std::size_t axis = 0; axis < space_axes; ++axis) {
        const std::int64_t is_padded = program.is_sampled[axis] ? 1 : 0;
        grid.extents[axis] = program.source[axis] + 2 * program.padding * is_padded;
        stored[axis] = grid.extents[axis] + 2 * program.margin * is_padded;
    }
    grid.pitches = {stored[1] * stored[2], stored[2], 1};
    grid.elements = stored[0] * grid.pitches[0];
    return grid;
}

// Order 1 and above: planes lie one behind the other.
template <typename T>
SampledPlane<T> sampled_plane(const SamplingProgram& program, const ConstArrayView& array,
                              std::int64_t plane) {
    SampledPlane<T> sampled;
    sampled.grid = tap_grid(program);
    sampled.elements = sampled.grid.elements;
    const DType part = part_dtype(array.dtype);
    sampled.data = array.data + plane * sampled.elements * static_cast<std::int64_t>(size_of(part));
    sampled.has_working_type = part == (sizeof(T) == sizeof(float) ? DType::float32 : DType::float64);
    sampled.pick = pick_taps_of<T>(part);
    sampled.cval =
        plane % program.parts == 0 ? static_cast<T>(program.cval) : T(0);  // an imaginary part beyond is 0
    return sampled;
}

// Elements of a line that lie inside in every frame, from the workspace of the mask.
inline AxisRange shared_inside(const ConstArrayView& mask, std::int64_t z, std::int64_t y) {
    std::array<std::int64_t, 2> ends;
    const std::int64_t line = z * mask.shape[1] + y;
    std::memcpy(ends.data(), mask.data + line * static_cast<std::int64_t>(sizeof(ends)), sizeof(ends));
    return {ends[0], ends[1]};
}

// Elements of the line whose coordinates lie on the samples, from the first's centre to the last's.
inline AxisRange elements_inside(const SamplingProgram& program, const LineCoordinates& line,
                                 AxisRange within) {
    for (std::size_t axis = 0; axis < space_axes; ++axis) {
        if (program.is_sampled[axis]) {
            const auto last = static_cast<double>(program.source[axis] - 1);
            within = elements_between(line, axis, 0.0, 0.0, last, within);
        }
    }
    return within;
}

// Which elements of a line are computed at all; the others are cval.
inline AxisRange computed_elements(const SamplingProgram& program, const TileCall& call,
                                   const LineCoordinates& line, std::int64_t z, std::int64_t y, AxisRange x) {
    AxisRange computed = x;
    if (const auto mask = workspace_of(program, SamplingPhase::mask)) {
        const AxisRange inside = shared_inside(call.workspaces[*mask], z, y);
        computed.begin = std::clamp(inside.begin, x.begin, x.end);
        computed.end = std::clamp(inside.end, computed.begin, x.end);
    }
    return program.boundary == Boundary::constant ? elements_inside(program, line, computed) : computed;
}

// Elements of the line all of whose taps exist.
inline AxisRange elements_with_taps(const SamplingProgram& program, const LineCoordinates& line,
                                    AxisRange within) {
    if (program.margin > 0 && program.boundary == Boundary::constant) {
        return within;  // computed_elements() has left no others
    }
    for (std::size_t axis = 0; axis < space_axes; ++axis) {
        if (program.is_sampled[axis]) {
            const TapRange taps = tap_range(program.order, -program.padding,
                                            program.source[axis] + program.padding, program.margin);
            within = elements_between(line, axis, taps.shift, taps.lowest, taps.highest, within);
        }
    }
    return within;
}

}  // namespace slab::kernels
