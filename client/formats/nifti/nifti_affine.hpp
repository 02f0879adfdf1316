#pragma once

#include "client/formats/nifti/nifti_header.hpp"
#include "common/array/grid_map.hpp"

#include <optional>

namespace slab {

// The maps from voxel indices to the world that a header tells, in its own unit of length.
WorldMatrix sform_of(const NiftiHeader& header);
WorldMatrix qform_of(const NiftiHeader& header);

// The one that counts: sform if its code is above 0, else qform if its code is, else what nibabel and SPM make of pixdim
// alone: the middle of the volume is the origin, x runs from right to left.
WorldMatrix world_of(const NiftiHeader& header);

// The same in mm, whatever unit xyzt_units tells.
WorldMatrix world_in_mm(const NiftiHeader& header);

// Turns, sizes and handedness, as a header's qform tells them. Nothing for a matrix that shears, is flat or not finite.
struct RigidWorld {
    std::array<double, 3> quatern{};  // b, c, d
    std::array<double, 3> sizes{};
    double qfac = 1.0;
};
std::optional<RigidWorld> rigid_world(const WorldMatrix& world);

// How long a step along an axis is.
double step_length(const WorldMatrix& world, std::size_t axis);

}  // namespace slab
