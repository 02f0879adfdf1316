#pragma once

#include "daemon/kernels/realign/realign_program.hpp"

#include <cstdint>

// What the inputs hold, as float32; what is not finite counts as 0.
namespace slab::kernels::realign {

// Voxels [first, first + count) of a frame; behind those of the series there is the image of the reference, if one is given.
void load_voxels(const RealignProgram& program, const TileCall& call, std::int64_t frame, std::int64_t first,
                 std::int64_t count, float* to);

// The mask that was given, between 0 and 1, as means of a coarse level's blocks. Both buffers: a frame's voxels.
void load_mask(const RealignProgram& program, const TileCall& call, std::int64_t level, float* to,
               float* other);
// A plane of it as it is.
void load_mask_plane(const RealignProgram& program, const TileCall& call, std::int64_t plane, float* to);

}  // namespace slab::kernels::realign
