#pragma once

#include "client/motion/frame_motion.hpp"
#include "common/array/array_description.hpp"

#include <cstdint>
#include <vector>

namespace slab {

// 1 where every frame that converged has the voxel's place within the centres of its outermost voxels: what is resampled
// there is data and no filling. A number for each voxel, in memory order.
std::vector<std::uint8_t> valid_voxels(const std::vector<FrameMotion>& motion, const MotionGrid& grid,
                                       MemoryOrder order);

}  // namespace slab
