#pragma once

#include "daemon/kernels/realign/gain_fields.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/reference_image.hpp"

#include <array>
#include <cstdint>

// What frames are aligned to at last: the mean of the frames as the first pass aligned them, slab by slab.
namespace slab::kernels::realign {

struct SecondSlab {
    ReferenceImage image;
    GainFields gain;
    GainNormal* normal = nullptr;  // what this slab says of the fields
};
SecondSlab second_slab_of(const RealignProgram& program, const TileCall& call, std::int64_t slab);
void fill_second_reference(const RealignProgram& program, const TileCall& call);
std::int64_t second_reference_bytes(const RealignProgram& program);  // of a slab

// What all slabs say of the fields.
void fill_gain_facts(const RealignProgram& program, const TileCall& call);
inline constexpr std::int64_t gain_facts_bytes = sizeof(GainFacts);

struct SecondReference {
    Reference image;
    const GainFacts* facts = nullptr;
    std::array<GainFields, most_slabs> gain{};
};
SecondReference second_reference_of(const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
