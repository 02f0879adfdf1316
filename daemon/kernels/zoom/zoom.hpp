#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// Zoom: of order 0 (nearest neighbour) a pure move of elements of any dtype; of order 1 to 5 see spline_zoom.hpp.
Kernel zoom_kernel();

Expected<KernelPlan> plan_zoom(const PlanRequest& request);

// Order 0: the definition, one element at a time.
void fill_zoom_scalar(const TileCall& call) noexcept;

// The same by byte shuffles; each source row is expanded once and streamed to all rows and planes that repeat
// it.
void fill_zoom_simd(const TileCall& call) noexcept;

}  // namespace slab::kernels
