#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// numpy.matmul, by OpenBLAS.
Kernel matmul_kernel();

}  // namespace slab::kernels
