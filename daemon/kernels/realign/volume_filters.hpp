#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

#include <array>

// Filters of one frame, float32 in C order. `to` and `other` are distinct from `from` and from each other; all have as many
// elements as the extents say.
namespace slab::kernels::realign {

// Gaussian of so many voxels along each axis (0: none), cut off at four sigma, edges replicated: as
// scipy.ndimage.gaussian_filter with mode nearest; at most widest_sigma. The result is in `to`; `other` is overwritten.
void blur(const float* from, const Extents& extents, const std::array<double, 3>& sigma, float* to,
          float* other);

inline constexpr double widest_sigma = 16.0;

// The same on the voxels themselves: steps from plane to plane and from row to row, in elements. scratch: 128 rows of the
// longest axis.
void blur_in_place(float* voxels, const Extents& extents, const std::array<std::int64_t, 2>& steps,
                   const std::array<double, 3>& sigma, float* scratch);

// Means of blocks of `factors` voxels; what is left over at the ends is dropped.
void take_block_means(const float* from, const Extents& extents, const Extents& factors, float* to);

// [1 2 1] / 4 along each axis longer than 2, edges replicated. The result is in `to`; `other` is overwritten.
void smooth_binomially(const float* from, const Extents& extents, float* to, float* other);

// Central differences of neighbours, one-sided at the ends; 0 along an axis of one voxel.
void take_difference(const float* from, const Extents& extents, std::size_t axis, float* to);

}  // namespace slab::kernels::realign
