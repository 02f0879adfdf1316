#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"

#include <cstdint>

namespace slab::kernels::realign {

// All frames' motion in one tile: what drifts is found in all of them together. Rows of MotionColumn.
void fill_motion(const RealignProgram& program, const TileCall& call);
std::int64_t motion_elements(const RealignProgram& program);  // float64

// The table of the phases that resample: each frame's pull-back in place of the identity that was planned.
void fill_pull_backs(const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
