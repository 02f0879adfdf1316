#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"

namespace slab::kernels::realign {

// Rows of frames, slab by slab: each at the voxels of the reference (all of it that tells anything), as the first pass found
// its motion. NaN where it has none.
void fill_samples(const RealignProgram& program, const TileCall& call);

inline const float* samples_of(const TileCall& call, std::int64_t frame, std::int64_t slab) {
    const ConstArrayView& samples = workspace(call, RealignPhase::samples);
    return floats_of(samples, frame * samples.shape[1] + slab, samples.shape[2]);
}

// Of each voxel of the frame: the mean of the samples, and of how many frames it is; where the reference has no voxel, or there
// is no second pass, its own value. Frames in which that head was not found are left out.
struct MeanImage {
    const float* value = nullptr;
    const float* cover = nullptr;
};
MeanImage mean_of(const RealignProgram& program, const TileCall& call);
void fill_mean(const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
