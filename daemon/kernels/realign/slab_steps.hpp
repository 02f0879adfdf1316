#pragma once

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/gauss_newton.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/reference_image.hpp"

#include <array>
#include <cstdint>

// Where frames are few, the first steps of a frame's own level are phases, in which each slab of each frame is a tile: all
// workers then have something to do. What they find is what one worker finds who makes all the steps, bit for bit.
namespace slab::kernels::realign {

inline constexpr std::array slab_step_phases{RealignPhase::first_step, RealignPhase::second_step,
                                             RealignPhase::third_step};
static_assert(slab_step_phases.size() == free_steps);  // they keep nothing but their sums

inline constexpr std::int64_t few_frames = 16;
bool has_slab_steps(const RealignProgram& program);
void fill_unused(const TileCall& call);  // of a phase that is not needed, which is one byte

// What one slab says of a frame at a step.
struct SlabStep {
    Alignment before;
    FrameEquations equations;
};
inline constexpr std::int64_t slab_step_bytes = sizeof(SlabStep);

void fill_slab_step(RealignPhase phase, const RealignProgram& program, const TileCall& call);

Alignment after_slab_steps(const RealignProgram& program, const TileCall& call, const Reference& reference,
                           std::int64_t frame);

}  // namespace slab::kernels::realign
