#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/line_filter.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/sampling/pull_back.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace slab::kernels {

// What a phase does.
enum class SamplingPhase : std::uint8_t {
    filter,  // the spline prefilter along one axis of space
    planes,  // the frames, and the two parts of complex numbers, one behind the other, in the working type
    mask,    // of each line of the output, which elements lie inside in every frame
    sample,  // the output
};
inline constexpr std::size_t most_sampling_phases = space_axes + 3;

// A spline evaluated at the coordinates of a pull-back: what affine and reslice do.
//
// Arrays are seen as [outer][z][y][x][inner]: frames of a series that lie before the axes of space in memory (outer), or
// behind them (inner; of complex numbers the two parts are the last of these). A plane is what is left when outer and
// inner are fixed: plane = outer index * inner + inner index. Each frame has its own pull-back.
//
// The plan's table: the pull-backs of all frames, then the taps of the prefilters.
struct SamplingProgram {
    int order = 3;
    Boundary boundary = Boundary::constant;
    double cval = 0.0;
    WorkingType type = WorkingType::float64;
    std::array<bool, space_axes> is_sampled{};  // false: the array has no such axis
    SpaceExtents source{1, 1, 1};
    SpaceExtents target{1, 1, 1};
    // Beyond each end of each sampled axis lie coefficients. Padding: in their own right, the boundary begins behind them
    // (nearest and grid-constant). Margin: copies of what the boundary says, so that no element within the samples has
    // to look for its taps.
    std::int64_t padding = 0;
    std::int64_t margin = 0;

    int outer_axes = 0;  // of the array as its dtype counts elements
    int space_rank = 0;
    int inner_axes = 0;
    std::int64_t outer = 1;
    std::int64_t inner = 1;   // in parts; of order 0, which moves elements, in elements
    std::int64_t parts = 1;   // 2: a complex number is interpolated as two reals
    std::int64_t frames = 1;  // outer * inner / parts

    std::size_t phase_count = 1;
    std::array<SamplingPhase, most_sampling_phases> phases{SamplingPhase::sample};
    std::array<LineFilter, space_axes> filters{};  // of the first phases
};

inline PullBack pull_back_of(std::span<const std::byte> table, std::int64_t frame) {
    PullBack pull_back;
    std::memcpy(&pull_back, table.data() + static_cast<std::size_t>(frame) * sizeof(PullBack),
                sizeof(PullBack));
    return pull_back;
}

// The workspace that such a phase fills; of several the last. Empty: there is none.
inline std::optional<std::size_t> workspace_of(const SamplingProgram& program, SamplingPhase kind) {
    std::optional<std::size_t> found;
    for (std::size_t phase = 0; phase + 1 < program.phase_count; ++phase) {
        if (program.phases[phase] == kind) {
            found = phase;
        }
    }
    return found;
}

// Coordinates from lowest to highest (of an axis, plus `shift`) for which every tap of the spline is a sample or a
// coefficient that exists; the first tap lies at floor(coordinate + shift) - order / 2. Order 1 takes the last sample
// itself as the end of the last interval, with weights 0 and 1.
struct TapRange {
    double shift = 0.0;
    double lowest = 0.0;
    double highest = 0.0;
};

inline TapRange tap_range(int order, std::int64_t first, std::int64_t end, std::int64_t margin) {
    TapRange range;
    if (order == 0 || margin > 0) {  // beyond the outermost samples' centres the boundary decides
        range.lowest = static_cast<double>(first);
        range.highest = static_cast<double>(end - 1);
        return range;
    }
    range.shift = order % 2 == 0 ? 0.5 : 0.0;
    if (order == 1) {
        const bool has_interval = end - first >= 2;
        range.lowest = static_cast<double>(first);
        range.highest = has_interval ? static_cast<double>(end - 1) : range.lowest - 1.0;
        return range;
    }
    const int taps_before = order / 2;
    range.lowest = static_cast<double>(first + taps_before);
    range.highest = std::nextafter(static_cast<double>(end - order + taps_before), -HUGE_VAL);
    return range;
}

}  // namespace slab::kernels
