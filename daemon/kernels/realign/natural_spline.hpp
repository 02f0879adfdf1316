#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

// Cubic B-splines whose curvature is 0 at the ends of the axes: c[0] = f[0], c[n-1] = f[n-1], and
// c[i-1] + 4 c[i] + c[i+1] = 6 f[i] between (C. de Boor, A Practical Guide to Splines, chapter 4, "free end" conditions).
// A mirrored spline, whose slope is 0 there, is wrong by the gradient of the outermost slices: ten times as far off at the
// faces of a slab of slices through a head (measured: 0.020 against 0.013 mm).
namespace slab::kernels::realign {

// Turns the samples inside an array of coefficients, which is one longer at both ends of each axis (the rest of it is
// undefined), into coefficients, those beyond the ends among them: c[-1] = 2 c[0] - c[1]. scratch: 64 rows of the longest
// axis, and as many elements again.
void take_coefficients(float* padded, const Extents& extents, float* scratch);
std::int64_t scratch_elements_for_coefficients(const Extents& extents);

// The spline's derivative by the index along `axis`, at the samples.
void take_spline_slope(const float* padded, const Extents& extents, std::size_t axis, float* to);

}  // namespace slab::kernels::realign
