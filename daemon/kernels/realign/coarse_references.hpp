#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/reference_image.hpp"

#include <cstdint>

// The reference frame at the coarse levels, one tile for all of them, and what they say of the head.
namespace slab::kernels::realign {

struct HeadFacts {
    float brightness = 0.0F;  // see soft_mask.hpp
    Point centre{};           // mm, of the mask
};

const HeadFacts& head_of(const TileCall& call);
Reference coarse_reference(const RealignProgram& program, const TileCall& call, std::int64_t level);

void fill_coarse_references(const RealignProgram& program, const TileCall& call);
std::int64_t coarse_references_bytes(const RealignProgram& program);

}  // namespace slab::kernels::realign
