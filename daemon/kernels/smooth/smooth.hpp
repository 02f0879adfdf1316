#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// A Gaussian of a width in millimetres.
Kernel smooth_kernel();

}  // namespace slab::kernels
