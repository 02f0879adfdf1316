#pragma once

#include "common/geometry/affine_matrix.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab {

// Whose six numbers a row of a table of motion holds.
enum class MotionConvention : std::uint8_t { spm, fsl, afni };

std::vector<std::string> motion_convention_names();
std::optional<MotionConvention> motion_convention_named(std::string_view name);

using MotionRow = std::array<double, 6>;

// The map from a point of the frame to the same point of the head in the reference, in mm.
//   spm   x y z (mm) pitch roll yaw (rad): T * Rx * Ry * Rz about the world's origin, where Rx and Rz turn by minus the
//         right-hand rule's angle and Ry by plus it. Source: SPM's spm_matrix.m; spm_realign.m writes the parameters of
//         (frame's voxel-to-world matrix after realignment) / (before).
//   fsl   rx ry rz (rad) tx ty tz (mm): T * C * Rx * Ry * Rz * C^-1, all three by minus the right-hand rule's angle, C
//         the shift to `centre`, in FSL's scaled mm. Source: make_rot() and construct_rotmat_euler() of FSL's miscmaths,
//         MCFLIRT's vector2affine() (centre: the volume's centre of gravity).
//   afni  roll pitch yaw (degrees) dS dL dP (mm): T * C * R(A-P, yaw) * R(R-L, pitch) * R(I-S, roll) * C^-1, by the
//         right-hand rule in AFNI's axes (x to the left, y to the back, z up), T = (dL, dP, dS). Source: AFNI's
//         3dvolreg.c, where VOLREG_MATVEC is made of these numbers, and its help (-1Dmatrix_save is the inverse of it);
//         THD_rota3D turns about the middle of the volume. World coordinates here are NIfTI's (x to the right, y to the
//         front): x and y change their signs before and after.
// Of spm the centre is not used.
AffineMatrix motion_matrix(MotionConvention convention, const MotionRow& row, const Point& centre);

}  // namespace slab
