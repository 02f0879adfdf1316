#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// The outer product of two vectors: r[i, j] = y[i] * x[j].
Kernel outer_kernel();

// The definition, one element at a time.
void fill_outer_scalar(const TileCall& call) noexcept;

// The same values by SIMD, whole vectors streamed past the cache.
void fill_outer_simd(const TileCall& call) noexcept;

}  // namespace slab::kernels
