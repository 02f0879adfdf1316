#pragma once

#include "common/geometry/affine_matrix.hpp"
#include "daemon/kernels/realign/gain_fields.hpp"
#include "daemon/kernels/realign/normal_equations.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"

#include <cstdint>

// Each frame to the second reference, by its voxels all.
namespace slab::kernels::realign {

// What a slab of a frame says at once, by the samples that are there; and how it changed since the frame before.
struct SecondEquations {
    FrameEquations equations;
    double squares = 0.0;  // sum, of the change
    double count = 0.0;    // of voxels that both have
};
inline constexpr std::int64_t second_equations_bytes = sizeof(SecondEquations);
void fill_second_equations(const RealignProgram& program, const TileCall& call);

struct SecondPass {
    AffineMatrix motion;  // the reference's mm to the frame's, before the step that the equations tell
    double steps = 0.0;
    double has_converged = 1.0;
    double power = 0.0;  // mean weighted square of what is left
    double dvars = 0.0;
    FrameEquations equations;
    FrameGain gain;
};
inline constexpr std::int64_t second_pass_bytes = sizeof(SecondPass);

void fill_second_pass(const RealignProgram& program, const TileCall& call);

inline const SecondPass& second_pass_of(const TileCall& call, std::int64_t frame) {
    return record_of<SecondPass>(workspace(call, RealignPhase::second_pass), frame);
}

}  // namespace slab::kernels::realign
