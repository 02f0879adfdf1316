#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

// Values and slopes of an image at its own voxels, each the sum of weighted neighbours along one axis after the other.
namespace slab::kernels::realign {

// Weights of the neighbours from -radius to radius. Beyond its ends a line goes on turned by half a turn about its last
// sample, as a spline without curvature at its ends does.
struct AxisFilter {
    static constexpr std::int64_t most_radius = 80;

    std::int64_t radius = 0;
    std::array<float, 2 * most_radius + 1> weights{1.0F};  // the first 2 * radius + 1

    std::span<const float> taps() const { return {weights.data(), static_cast<std::size_t>(2 * radius + 1)}; }
};

AxisFilter gaussian_filter(double sigma);  // in voxels, cut off at four sigma; of sum 1
AxisFilter spline_value_filter();          // of a cubic spline's coefficients
AxisFilter spline_slope_filter();
// The slope, at a sample, of the cubic spline through samples; neighbours that weigh less than `least` are left out.
AxisFilter sample_slope_filter(double least);
AxisFilter composed(const AxisFilter& first, const AxisFilter& second);

// A frame's voxels, x adjacent.
struct FilterSource {
    const float* voxels = nullptr;
    Extents extents{};
    std::int64_t row_step = 0;  // in elements
    std::int64_t plane_step = 0;
};

struct FilterPairs {
    std::array<AxisFilter, 3> value;
    std::array<AxisFilter, 3> slope;
};

// Where a plane of each result goes, C order; null: not wanted.
struct FilteredPlane {
    float* value = nullptr;
    std::array<float*, 3> slope{};  // along each axis, by index
};

// scratch: at least least_filter_scratch.
void filter_plane(const FilterSource& source, const FilterPairs& filters, std::int64_t plane,
                  const FilteredPlane& to, std::span<std::byte> scratch);
inline constexpr std::size_t least_filter_scratch = std::size_t{2} << 20;

// Sums of whole rows, and of a row's neighbours: to[x] = sum over t of weights[t] * row t [x], or from[x + t].
void weigh_rows(std::span<const float* const> rows, const float* weights, std::int64_t count, float* to);
void weigh_neighbours(const float* from, std::span<const float> weights, std::int64_t count, float* to);

}  // namespace slab::kernels::realign
