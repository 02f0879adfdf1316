#include "daemon/kernels/realign/gauss_newton.hpp"

#include <algorithm>

namespace slab::kernels::realign {
namespace {

// Of a frame that lies so far outside there is too little to go by.
constexpr double most_missing = 0.7;

}  // namespace

RigidStep rigid_step(const Columns& unknowns) {
    const double scale = 1.0 / std::clamp(1.0 + unknowns[7], 0.5, 2.0);
    RigidStep step{};
    for (std::size_t i = 0; i < step.size(); ++i) {
        step[i] = unknowns[i] * scale;
    }
    return step;
}

void advance(Alignment& alignment, const FrameEquations& equations, const ReferenceFacts& reference,
             const GaussNewtonOptions& options) {
    ++alignment.steps;
    Columns unknowns;
    if (equations.missing > most_missing * static_cast<double>(reference.voxels) ||
        !solve_equations(equations, unknowns)) {
        alignment.scale = 0.0;
        alignment.is_over = true;
        return;
    }
    alignment.scale = 1.0 + unknowns[7];
    const RigidStep step = rigid_step(unknowns);
    alignment.motion = updated(alignment.motion, step, reference.centre);
    alignment.has_converged = longest_move(step, corners_of(reference)) < options.tolerance;
    alignment.is_over = alignment.has_converged || alignment.steps >= options.most_steps;
}

void align(const SampledFrame& frame, const Reference& reference, const VolumeGrid& reference_grid,
           const GaussNewtonOptions& options, std::byte* missing, Alignment& alignment) {
    MovedFrame moved(frame, reference, missing);
    while (!alignment.is_over && reference.facts.voxels > 0) {
        moved.move(pull_back_of(reference_grid, alignment.motion, frame.grid), keeps_missing(alignment));
        advance(alignment, frame_equations(reference, moved), reference.facts, options);
    }
}

}  // namespace slab::kernels::realign
