#pragma once

#include "daemon/kernels/correlate/correlate_program.hpp"

namespace slab::kernels {

// One tile, computed in this type.
void correlate_tile_in_float(const CorrelateProgram& program, const TileCall& call) noexcept;
void correlate_tile_in_double(const CorrelateProgram& program, const TileCall& call) noexcept;

}  // namespace slab::kernels
