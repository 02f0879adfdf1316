#pragma once

#include "daemon/kernels/realign/realign_program.hpp"

namespace slab::kernels::realign {

// Fills the tile of the workspace of that phase. The same on every instruction set: there is one definition and no other
// code.
void fill_estimation(RealignPhase phase, const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
