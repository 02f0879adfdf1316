#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// Sums of a neighbourhood times an array of weights.
Kernel correlate_kernel();

// The same with the weights turned round along each axis.
Kernel convolve_kernel();

}  // namespace slab::kernels
