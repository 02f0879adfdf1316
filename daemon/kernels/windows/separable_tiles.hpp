#pragma once

#include "daemon/kernels/windows/separable_window.hpp"

namespace slab::kernels {

// One tile of the pass call.phase, computed in this type.
void fill_window_in_float(const WindowProgram& program, const TileCall& call) noexcept;
void fill_window_in_double(const WindowProgram& program, const TileCall& call) noexcept;

}  // namespace slab::kernels
