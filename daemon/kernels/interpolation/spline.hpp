#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace slab::kernels {

inline constexpr int most_order = 5;

// The B-spline of order 0 to 5 around a coordinate: the first of order + 1 taps and their weights, which add up to 1.
// Source: M. Unser, A. Aldroubi, M. Eden, "B-spline signal processing I", IEEE Trans. Signal Processing 41 (1993), with
// the taps placed as scipy.ndimage places them (order 0: the nearest sample, floor(c + 0.5)).
struct SplineTaps {
    std::int64_t first = 0;
    std::array<double, most_order + 1> weights{};
};
SplineTaps spline_taps(double coordinate, int order);

// The prefilter that turns samples into coefficients of splines of order 2 to 5, as a symmetric FIR filter h[-r..r]:
// element 0 of the result is h[0], element i is h[i] = h[-i]. It is the impulse response of the recursive filter, cut
// off where what is left out is below `error` of the input's largest magnitude. A direct sum knows no begin: it gives
// the same bits however the work is divided, for which a recursion needs a run-in on a fixed grid.
// Source: M. Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine 16 (1999),
// poles of box 2. Orders 0 and 1 need none: {1}.
// Of orders 2 and 3 it is geometric: h[i + 1] / h[i] is the same for all i. At least `least_radius` taps follow h[0].
std::vector<double> prefilter_taps(int order, double error, std::int64_t least_radius = 0);

// How scipy extends the samples for the prefilter: as the boundary says, but 12 samples of edge or cval beyond each end
// for nearest and grid-constant, and then reflected or mirrored. Which sample lies at `index`; empty: cval.
inline constexpr std::int64_t prefilter_padding = 12;
std::optional<std::int64_t> prefilter_index(std::int64_t index, std::int64_t n, Boundary boundary);

// Coefficients beyond [0, n-1] that a spline's taps may read in their own right: those two modes have them in the
// padding; with the others map_index tells which one inside is meant.
constexpr std::int64_t coefficient_padding(Boundary boundary) {
    return boundary == Boundary::nearest || boundary == Boundary::grid_constant ? prefilter_padding : 0;
}

}  // namespace slab::kernels
