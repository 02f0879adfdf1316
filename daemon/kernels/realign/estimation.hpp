#pragma once

#include "daemon/kernels/realign/realign_program.hpp"

namespace slab::kernels::realign {

// What the workspaces need: of a frame where they have a row for each.
std::int64_t coarse_images_elements(const RealignProgram& program);  // float32
std::int64_t references_bytes(const RealignProgram& program);
std::int64_t first_pass_bytes();
std::int64_t second_reference_bytes(const RealignProgram& program);
std::int64_t second_pass_bytes();
std::int64_t motion_elements(const RealignProgram& program);  // float64, of all frames

// Fills the tile of the workspace of that phase. The same on every instruction set: there is one definition and no other
// code.
void fill_estimation(RealignPhase phase, const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
