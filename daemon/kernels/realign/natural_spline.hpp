#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

// Cubic B-splines whose curvature is 0 at the ends of the axes: c[0] = f[0], c[n-1] = f[n-1], and
// c[i-1] + 4 c[i] + c[i+1] = 6 f[i] between (C. de Boor, A Practical Guide to Splines, chapter 4, "free end" conditions).
// A mirrored spline, whose slope is 0 there, is wrong by the gradient of the outermost slices: ten times as far off at the
// faces of a slab of slices through a head (measured: 0.020 against 0.013 mm).
namespace slab::kernels::realign {

// Samples become coefficients, and those beyond the ends are put beside them: c[-1] = 2 c[0] - c[1].
// Of `count` lines side by side, `n` samples each, `pitch` apart. scratch: n elements.
void solve_across(float* lines, std::int64_t n, std::int64_t pitch, std::int64_t count, float* scratch);
// Of `rows` rows, `pitch` apart. scratch: 33 rows, and 64 elements.
void solve_along(float* rows, std::int64_t n, std::int64_t pitch, std::int64_t count, float* scratch);

}  // namespace slab::kernels::realign
