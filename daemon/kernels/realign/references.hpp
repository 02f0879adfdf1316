#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/reference_image.hpp"

#include <cstdint>

// The reference frame's voxels that frames are aligned by, slab by slab.
namespace slab::kernels::realign {

// Those that tell the most, by which the first pass goes; and those that tell anything.
struct SlabReferences {
    ReferenceImage first_pass;
    ReferenceImage all;
};
SlabReferences slab_references_of(const RealignProgram& program, const TileCall& call, std::int64_t slab);
Reference first_pass_reference(const RealignProgram& program, const TileCall& call);
Reference all_of_reference(const RealignProgram& program, const TileCall& call);

void fill_references(const RealignProgram& program, const TileCall& call);
std::int64_t references_bytes(const RealignProgram& program);  // of a slab

}  // namespace slab::kernels::realign
