#pragma once

#include "common/geometry/affine_matrix.hpp"

#include <array>
#include <span>

namespace slab::kernels::realign {

// Three millimetres of translation, and a rotation vector in radians.
using RigidStep = std::array<double, 6>;

// The turn by the rotation vector (Rodrigues' formula), then the translation.
AffineMatrix exponential(const RigidStep& step);

// motion * (step about `centre`)^-1: the update of the inverse-compositional Gauss-Newton (S. Baker, I. Matthews,
// Lucas-Kanade 20 years on, 2004), which found the step on the reference's side.
AffineMatrix updated(const AffineMatrix& motion, const RigidStep& step, const Point& centre);

// The largest distance in mm by which the step moves any of these points, given from its centre.
double longest_move(const RigidStep& step, std::span<const Point> points);
// The same of a motion, and points as they are. NaN if any is.
double longest_move(const AffineMatrix& motion, std::span<const Point> points);

}  // namespace slab::kernels::realign
