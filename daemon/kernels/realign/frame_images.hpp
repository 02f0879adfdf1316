#pragma once

#include "daemon/kernels/realign/realign_program.hpp"
#include "daemon/kernels/realign/voxel_sampler.hpp"

// The frames as the estimate reads them. An image of the reference, where one is given, is a frame behind those of the series.
namespace slab::kernels::realign {

// Rows of frames.
void fill_coarse_images(const RealignProgram& program, const TileCall& call);
std::int64_t coarse_images_elements(const RealignProgram& program);  // float32, of a frame

// A frame's spline (level 0), or its image of a coarse level.
SampledFrame frame_at(const RealignProgram& program, const TileCall& call, std::int64_t frame,
                      std::int64_t level);

}  // namespace slab::kernels::realign
