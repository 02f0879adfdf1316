#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// The mean of a box around each element.
Kernel uniform_kernel();

}  // namespace slab::kernels
