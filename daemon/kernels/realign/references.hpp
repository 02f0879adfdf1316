#pragma once

#include "daemon/kernels/realign/gain_fields.hpp"
#include "daemon/kernels/realign/realign_program.hpp"
#include "daemon/kernels/realign/reference_image.hpp"

#include <array>
#include <cstdint>

// What frames are aligned to: the reference frame first, then the mean of the frames so aligned. One tile makes each.
namespace slab::kernels::realign {

// Images that a reference is made with, of a frame's voxels each, and two buffers for splines.
struct Workshop {
    float* value = nullptr;
    float* weight = nullptr;
    std::array<float*, 3> slope{};
    std::array<float*, 3> blurred_slope{};
    float* other = nullptr;
    float* third = nullptr;
    float* padded = nullptr;
    float* solver = nullptr;
};

// The references of the first pass: the coarse levels', then that of the voxels which tell the most, then that of all that
// tell anything.
struct References {
    std::array<ReferenceImage, most_coarse_levels + 1> level{};  // 0: the first pass'
    ReferenceImage all;
    Workshop shop;
};

struct SecondReference {
    ReferenceImage image;
    GainFields gain;
    Workshop shop;
};

// As laid out in their workspaces, which are read only once their phases are over.
References references_of(const RealignProgram& program, const TileCall& call);
SecondReference second_reference_of(const RealignProgram& program, const TileCall& call);

void fill_references(const RealignProgram& program, const TileCall& call);
void fill_second_reference(const RealignProgram& program, const TileCall& call);
std::int64_t references_bytes(const RealignProgram& program);
std::int64_t second_reference_bytes(const RealignProgram& program);

}  // namespace slab::kernels::realign
