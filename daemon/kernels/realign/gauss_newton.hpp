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

// Where an alignment has come to.
struct Alignment {
    AffineMatrix motion;  // the reference's mm to the frame's
    double scale = 1.0;   // of the frame's intensity to the reference's; 0: there was too little to go by
    int steps = 0;
    bool has_converged = false;
    bool is_over = false;
};

// Steps of translation and rotation, of unknowns in which the translation and rotation are those of an image of the
// frame's intensity.
RigidStep rigid_step(const Columns& unknowns);

// From the fourth step on what has been outside the step before stays outside: voxels that cross a face to and fro would keep
// the steps from ending. The free steps need no memory of the ones before.
inline constexpr int free_steps = 3;
inline bool keeps_missing(const Alignment& alignment) {
    return alignment.steps > free_steps;
}

// One step by the frame's equations there.
void advance(Alignment& alignment, const FrameEquations& equations, const ReferenceFacts& reference,
             const GaussNewtonOptions& options);

// Brings the frame to the reference from where the alignment is on, by Gauss-Newton steps with the reference's gradients
// alone, offset and factor of the intensity beside them (as SPM's realign: K. J. Friston et al., Human Brain Mapping 3, 1995;
// the inverse composition: Baker and Matthews, 2004). missing: a bit for each voxel of the reference, see VoxelBits.
void align(const SampledFrame& frame, const Reference& reference, const VolumeGrid& reference_grid,
           const GaussNewtonOptions& options, std::byte* missing, Alignment& alignment);

}  // namespace slab::kernels::realign
