#include "daemon/kernels/chosen_axes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab::kernels {

Expected<std::vector<int>> chosen_axes(const PlanRequest& request, std::string_view name, int rank) {
    const auto* given = request.parameters.get<AxisList>(name);
    std::vector<int> axes;
    if (given == nullptr) {
        for (int axis = 0; axis < rank; ++axis) {
            axes.push_back(axis);
        }
        return axes;
    }
    for (const std::int64_t index : given->indices) {
        if (index < -rank || index >= rank) {
            const std::int64_t named = request.axes == AxisOrder::reversed ? -1 - index : index;
            return std::unexpected(Error{
                ErrorKind::usage, fmt::format("there is no axis {}", named),
                fmt::format("{} names axis {}; the array has {} dimension{}: axes 0 to {}, or -{} to -1",
                            name, named, rank, rank == 1 ? "" : "s", rank - 1, rank),
                "Name axes that the array has."});
        }
        const int axis = static_cast<int>(index < 0 ? index + rank : index);
        if (std::ranges::find(axes, axis) != axes.end()) {
            return std::unexpected(
                Error{ErrorKind::usage,
                      fmt::format("{} names axis {} twice", name, users_axis(request, axis, rank)),
                      fmt::format("the array has {} dimension{}, and -1 is axis {}", rank,
                                  rank == 1 ? "" : "s", rank - 1),
                      "Name each axis once."});
        }
        axes.push_back(axis);
    }
    return axes;
}

}  // namespace slab::kernels
