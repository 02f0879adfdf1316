#pragma once

#include "daemon/kernels/interpolation/line_filter.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/zoom/spline_axis.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace slab::kernels {

// A zoom that computes: order 1 to 5, or any order behind a Gaussian. The phases: filters, each into its workspace from
// the one before; then the interpolation of the last one.
// How many taps follow the middle one where a row is filtered by sums of sums (geometric_row_inl.hpp); 0: it is not.
constexpr std::int64_t geometric_radius(int order, WorkingType type) {
    return order > 3 ? 0 : type == WorkingType::float32 ? 16 : 32;
}

struct SplineZoomProgram {
    ZoomProgram zoom;  // first: order 0 without filters has nothing else
    WorkingType type = WorkingType::float64;
    bool has_given_coefficients = false;  // order 2 to 5 without prefilter
    int filter_count = 0;
    std::array<LineFilter, 2 * max_rank> filters{};
    // The prefilter of the fastest axis that changes is done as its rows are loaded, where all that is faster than it is
    // short: -1 where there is none. Its taps are in `row_filter`.
    int row_filter_axis = -1;
    LineFilter row_filter{};
    std::array<std::int64_t, max_rank> padding{};  // of the array that is interpolated
};
static_assert(sizeof(SplineZoomProgram) <= Program::capacity);

inline bool is_spline_zoom(const Program& program) {
    return program.size() == sizeof(SplineZoomProgram);
}

// Axes faster than the last one that changes are folded into its elements while they have fewer parts than this.
inline constexpr std::int64_t folded_parts = 32;

// What the tile function keeps in scratch at once: a row of results, the blocks that one result is the sum of, and so
// many indices along each axis. Tiles are planned to fit. Of the axes slower than the rows along which sums are taken,
// each but the last has a ring of blocks; one alone is not larger than leaves room in L2 for all else.
inline constexpr std::int64_t spline_row_bytes = 8 * 1024;
inline constexpr std::int64_t spline_rings_bytes = 576 * 1024;
inline constexpr std::int64_t spline_block_rows = 256;
constexpr std::int64_t spline_block_bytes(int axes) {
    return std::min<std::int64_t>(384 * 1024, spline_rings_bytes / std::max(1, axes - 1));
}

SplineAxis spline_axis(const SplineZoomProgram& program, int axis, std::int64_t n_in, std::int64_t n_out);

// What the user asked for, checked.
struct SplineZoomRequest {
    ZoomProgram zoom;
    WorkingType type = WorkingType::float64;
    bool is_prefiltered = true;
    bool is_antialiased = false;
};

// Program, table, workspaces and tiles for the plan, whose output is there.
Expected<void> plan_spline_zoom(const SplineZoomRequest& request, const ArrayDescription& input,
                                KernelPlan& plan);

AxisRange spline_zoom_band_reads(const BandQuery& query);

void fill_spline_zoom_scalar(const TileCall& call) noexcept;  // the definition
void fill_spline_zoom_simd(const TileCall& call) noexcept;

}  // namespace slab::kernels
