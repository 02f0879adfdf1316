#pragma once

#include "daemon/kernels/realign/normal_equations.hpp"
#include "daemon/kernels/realign/rigid_step.hpp"
#include "daemon/kernels/realign/voxel_sampler.hpp"

namespace slab::kernels::realign {

inline constexpr double tolerance_in_mm = 0.05;

struct GaussNewtonOptions {
    // mm: of the largest move of a corner of the voxels' box; such a step is applied, too
    double tolerance = tolerance_in_mm;
    int most_steps = 20;
};

struct Alignment {
    AffineMatrix motion;  // the reference's mm to the frame's
    double scale = 1.0;   // of the frame's intensity to the reference's
    int steps = 0;
    bool has_converged = false;
};

// Steps of translation and rotation, of unknowns in which the translation and rotation are those of an image of the
// frame's intensity.
RigidStep rigid_step(const Columns& unknowns);

// Brings the frame to the reference from `motion` on, by Gauss-Newton steps with the reference's gradients alone, offset and
// factor of the intensity beside them (as SPM's realign: K. J. Friston et al., Human Brain Mapping 3, 1995; the inverse
// composition: Baker and Matthews, 2004). `missing`: for as many voxels as the reference has. From the fourth step on what has
// been outside stays outside: voxels that cross a face to and fro would keep the steps from ending.
Alignment align(const SampledFrame& frame, const ReferenceImage& reference, const VolumeGrid& reference_grid,
                const AffineMatrix& motion, const GaussNewtonOptions& options, VoxelBits missing);

}  // namespace slab::kernels::realign
