#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

Kernel realign_kernel();

Expected<KernelPlan> plan_realign(const PlanRequest& request);

}  // namespace slab::kernels
