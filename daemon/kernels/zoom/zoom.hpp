#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// Zoom of order 0 (nearest neighbour): a pure move of elements of any dtype.
Kernel zoom_kernel();

Expected<KernelPlan> plan_zoom(const PlanRequest& request);

// The definition, one element at a time.
void fill_zoom_scalar(const TileCall& call) noexcept;

// The same by byte shuffles; each source row is expanded once and streamed to all rows and planes that repeat
// it.
void fill_zoom_simd(const TileCall& call) noexcept;

}  // namespace slab::kernels
