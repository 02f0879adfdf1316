#pragma once

#include "daemon/kernels/realign/volume_grid.hpp"

#include <algorithm>
#include <cstdint>

namespace slab::kernels::realign {

inline constexpr std::int64_t most_slabs = 64;
inline constexpr std::int64_t least_slab_voxels = 8192;

// A frame's planes along its slowest axis, in runs of as many (the last may be shorter): what one worker makes while others
// make the rest. Sums over a frame are sums over its slabs, added up in their order. The grid alone says where they are, so
// that no result depends on the workers.
struct Slabs {
    explicit Slabs(const VolumeGrid& grid)
        : all_planes(grid.extents[0]), plane_voxels(grid.extents[1] * grid.extents[2]),
          planes(std::max((least_slab_voxels + plane_voxels - 1) / plane_voxels,
                          (all_planes + most_slabs - 1) / most_slabs)),
          count((all_planes + planes - 1) / planes) {}

    std::int64_t begin(std::int64_t slab) const { return slab * planes; }
    std::int64_t end(std::int64_t slab) const { return std::min(all_planes, (slab + 1) * planes); }
    std::int64_t voxels(std::int64_t slab) const { return (end(slab) - begin(slab)) * plane_voxels; }
    std::int64_t capacity() const { return planes * plane_voxels; }

    std::int64_t all_planes;
    std::int64_t plane_voxels;
    std::int64_t planes;  // of a slab
    std::int64_t count;
};

}  // namespace slab::kernels::realign
