#include "daemon/kernels/realign/gauss_newton.hpp"

#include <algorithm>

namespace slab::kernels::realign {
namespace {

// Of a frame that lies so far outside there is too little to go by.
constexpr double most_missing = 0.7;
constexpr int free_steps = 3;

}  // namespace

RigidStep rigid_step(const Columns& unknowns) {
    const double scale = 1.0 / std::clamp(1.0 + unknowns[7], 0.5, 2.0);
    RigidStep step{};
    for (std::size_t i = 0; i < step.size(); ++i) {
        step[i] = unknowns[i] * scale;
    }
    return step;
}

Alignment align(const SampledFrame& frame, const ReferenceImage& reference, const VolumeGrid& reference_grid,
                const AffineMatrix& motion, const GaussNewtonOptions& options, VoxelBits missing) {
    const auto voxels = static_cast<double>(reference.facts->voxels);
    const std::array<Point, 8> corners = corners_of(*reference.facts);
    Alignment alignment{motion, 0.0, 0, false};
    while (voxels > 0.0 && alignment.steps < options.most_steps) {
        MovedFrame moved{frame, reference, pull_back_of(reference_grid, alignment.motion, frame.grid),
                         missing, alignment.steps >= free_steps};
        ++alignment.steps;
        const FrameEquations equations = gather_equations(reference, moved);
        Columns unknowns;
        if (equations.missing > most_missing * voxels || !solve_equations(equations, unknowns)) {
            alignment.scale = 0.0;
            return alignment;
        }
        alignment.scale = 1.0 + unknowns[7];
        const RigidStep step = rigid_step(unknowns);
        alignment.motion = updated(alignment.motion, step, reference.facts->centre);
        if (longest_move(step, corners) < options.tolerance) {
            alignment.has_converged = true;
            return alignment;
        }
    }
    return alignment;
}

}  // namespace slab::kernels::realign
