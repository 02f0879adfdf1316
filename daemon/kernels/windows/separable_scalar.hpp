#pragma once

#include "daemon/kernels/windows/separable_window.hpp"

namespace slab::kernels {

// One tile of the pass call.phase, element by element.
void define_window(const WindowProgram& program, const TileCall& call) noexcept;

}  // namespace slab::kernels
