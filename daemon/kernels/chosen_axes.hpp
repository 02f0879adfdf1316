#pragma once

#include "daemon/kernels/kernel.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace slab::kernels {

// The axes that the parameter `name` of type axes lists, in its order, as indices of the kernel's arrays of this rank:
// 0 to rank-1, each once. Where it is absent, all in their order. Refused: an axis that there is not, an axis twice.
Expected<std::vector<int>> chosen_axes(const PlanRequest& request, std::string_view name, int rank);

// An axis of the kernel's arrays as the user counts it: for messages.
inline int users_axis(const PlanRequest& request, int axis, int rank) {
    return request.axes == AxisOrder::reversed ? rank - 1 - axis : axis;
}

}  // namespace slab::kernels
