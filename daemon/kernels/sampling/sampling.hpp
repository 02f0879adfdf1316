#pragma once

#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

namespace slab::kernels {

// Every phase of a kernel whose program is a SamplingProgram.
void fill_sampling_scalar(const TileCall& call) noexcept;  // the definition, one element at a time
void fill_sampling_simd(const TileCall& call) noexcept;

// The mask's phase: of each line (z, y) of the output two numbers, the elements [first, second) that lie on the samples
// in every frame.
void fill_shared_mask(const SamplingProgram& program, const TileCall& call);

}  // namespace slab::kernels
