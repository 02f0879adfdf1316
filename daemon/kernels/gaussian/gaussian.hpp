#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// A Gaussian, or derivatives of one, along each axis.
Kernel gaussian_kernel();

}  // namespace slab::kernels
