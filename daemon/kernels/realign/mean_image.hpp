#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"

namespace slab::kernels::realign {

// Rows of frames: each at the voxels of the reference (all of it that tells anything), as the first pass found its motion. NaN
// where it has none.
void fill_samples(const RealignProgram& program, const TileCall& call);

// Two rows: the mean of the samples at each voxel of the reference, and of how many frames it is.
void fill_mean(const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
