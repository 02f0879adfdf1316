#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// A series of volumes, each resampled by a rigid or affine transform of its own.
Kernel reslice_kernel();

Expected<KernelPlan> plan_reslice(const PlanRequest& request);

}  // namespace slab::kernels
