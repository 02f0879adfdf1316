#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"

#include <cstdint>

// How much the aligned frames change from one to the next if nothing happens but noise: what DVARS is divided by to be
// standardised (T. E. Nichols, Notes on creating a standardized version of DVARS, 2013).
namespace slab::kernels::realign {

// Of so many voxels at even distances among the reference's: their mean is within a per cent of that of all.
inline constexpr std::int64_t most_fluctuation_voxels = 8192;

// For each of them sqrt(2 (1 - rho)) s: s of its interquartile range over time (over 1.349, as of a normal distribution),
// rho its correlation with itself a frame later. NaN of one that not all frames have.
void fill_fluctuation(const RealignProgram& program, const TileCall& call);

// The mean of what there is; 0 of nothing.
double expected_change(const TileCall& call);

}  // namespace slab::kernels::realign
