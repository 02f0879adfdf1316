#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// scipy.ndimage.affine_transform of arrays of 1 to 3 dimensions.
Kernel affine_kernel();

Expected<KernelPlan> plan_affine(const PlanRequest& request);

}  // namespace slab::kernels
