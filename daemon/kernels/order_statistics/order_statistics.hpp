#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// The smallest, the middle and the largest element of a window around each element.
Kernel minimum_kernel();
Kernel median_kernel();
Kernel maximum_kernel();

}  // namespace slab::kernels
