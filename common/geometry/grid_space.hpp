#pragma once

#include "common/geometry/affine_matrix.hpp"

#include <array>
#include <cstdint>

namespace slab {

// FSL's scaled mm: voxel sizes and nothing else, but x is counted from the other end where the map to the world keeps
// left- and right-handedness ("neurological"; newimage stores such images turned round).
enum class Handedness : std::uint8_t { unknown, of_world };  // unknown: voxel sizes are all that is told
AffineMatrix scaled_mm(const AffineMatrix& to_mm, Handedness handedness, std::int64_t x_extent);

// Half way between the first and the last voxel of each axis, in mm.
Point middle_of(const AffineMatrix& to_mm, const std::array<std::int64_t, 3>& extents);

}  // namespace slab
