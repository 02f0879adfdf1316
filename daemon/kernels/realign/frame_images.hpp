#pragma once

#include "daemon/kernels/realign/realign_program.hpp"
#include "daemon/kernels/realign/voxel_sampler.hpp"

// The frames as the estimate reads them. An image of the reference, where one is given, is a frame behind those of the series.
namespace slab::kernels::realign {

// Tiles of the phases of those names: rows of frames.
void fill_coefficients(const RealignProgram& program, const TileCall& call);
void fill_coarse_images(const RealignProgram& program, const TileCall& call);
std::int64_t coarse_images_elements(const RealignProgram& program);  // float32, of a frame

// A frame's spline (level 0), or its image of a coarse level.
SampledFrame frame_at(const RealignProgram& program, const TileCall& call, std::int64_t frame,
                      std::int64_t level);

// The reference's voxels, smoothed as the frames are. The call's scratch is used.
void load_reference(const RealignProgram& program, const TileCall& call, float* to);

// The mask that was given, between 0 and 1, as means of a coarse level's blocks. Both buffers: a frame's voxels.
void load_mask(const RealignProgram& program, const TileCall& call, std::int64_t level, float* to,
               float* other);

}  // namespace slab::kernels::realign
