#pragma once

#include "common/geometry/rigid_motion.hpp"

namespace slab {

// The way back from motion_matrix(): the six numbers that a convention has for a rigid motion, angles within half a turn
// (the second of the three within a quarter). Of a matrix that is rigid but for rounding, those of the rotation next to it
// in the sense of Frobenius; its last column is met exactly. Where the second angle is a quarter turn the two others are
// one: any pair that gives the matrix.
MotionRow motion_parameters(MotionConvention convention, const AffineMatrix& matrix, const Point& centre);

// The rotation (and mirroring) next to a matrix that is one but for 1e-4, without its last column.
AffineMatrix nearest_rotation(const AffineMatrix& matrix);

// How far the turning part is from a rotation: the largest element of R' R - 1.
double strain(const AffineMatrix& matrix);

}  // namespace slab
