#include "daemon/kernels/chosen_axes.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/order_statistics/order_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

// One value for all of the chosen axes, one for each of them, or one for each axis of the array. The other axes: otherwise.
Expected<std::array<std::int64_t, max_rank>> values_per_axis(const PlanRequest& request, const char* name,
                                                             const std::vector<int>& axes,
                                                             std::int64_t otherwise) {
    const auto rank = static_cast<std::size_t>(request.inputs[0].shape.rank);
    std::array<std::int64_t, max_rank> values{};
    values.fill(otherwise);
    const auto* given = request.parameters.get<std::vector<std::int64_t>>(name);
    if (given == nullptr) {
        return values;
    }
    if (given->size() != 1 && given->size() != axes.size() && given->size() != rank) {
        return std::unexpected(usage(
            fmt::format("{} does not fit the array", name),
            fmt::format("{} values are given for {} of {} dimension{}", given->size(),
                        axes.size() == rank ? "an array" : fmt::format("{} axes of an array", axes.size()),
                        rank, rank == 1 ? "" : "s"),
            fmt::format("Give one {} for all axes, or {}.", name, axes.size())));
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto axis = static_cast<std::size_t>(axes[i]);
        values[axis] = given->size() == 1             ? given->front()
                       : given->size() == axes.size() ? (*given)[i]
                                                      : (*given)[axis];
    }
    return values;
}

// What lies beyond an end of a filtered axis: scipy's filters know no interpolation, and mean the modes of the grid.
Boundary boundary_of_filters(Boundary boundary) {
    return boundary == Boundary::constant ? Boundary::grid_constant
           : boundary == Boundary::wrap   ? Boundary::grid_wrap
                                          : boundary;
}

std::optional<Error> check_axis(std::int64_t size, std::int64_t origin) {
    if (size < 1) {
        return usage("a window has at least one element along each axis", fmt::format("size is {}", size),
                     "Give sizes of 1 or more; 1 leaves an axis alone.");
    }
    if (size > most_window_size) {
        return usage("the window is too long",
                     fmt::format("size is {}, {} is the most along one axis", size, most_window_size),
                     "Take a smaller size.");
    }
    const std::int64_t least = -(size / 2);
    const std::int64_t most = size - 1 - size / 2;
    if (origin < least || origin > most) {
        return usage(
            "the origin moves the window off its element",
            fmt::format("origin is {}; for a window of {} it may be {} to {}", origin, size, least, most),
            "Give an origin within that range.");
    }
    return std::nullopt;
}

std::optional<Error> check_element_count(const OrderWindow& window) {
    const bool is_median = window.statistic == OrderStatistic::median;
    const std::int64_t most = is_median ? most_median_elements : most_extremum_elements;
    std::int64_t count = 1;
    for (const std::int64_t size : window.size) {
        count *= size;
        if (count > most) {
            return usage(
                "the window is too large", fmt::format("it has more than {} elements", most),
                is_median ? "Take a smaller size, or shrink the array first (slab run zoom --antialias)."
                          : "Filter axis by axis: one run along some of the axes, another along the others.");
        }
    }
    return std::nullopt;
}

}  // namespace

Expected<KernelPlan> plan_order_statistic(OrderStatistic statistic, const PlanRequest& request) {
    const ArrayDescription& input = request.inputs[0];
    const int rank = input.shape.rank;
    if (rank == 0) {
        return std::unexpected(
            usage("the array has no axis", "its shape is ()", "Give an array of 1 to 5 dimensions."));
    }
    if (is_complex(input.dtype)) {
        return std::unexpected(usage("complex numbers have no order",
                                     fmt::format("the array is {}", name_of(input.dtype)),
                                     "Filter the real part and the imaginary part, or the magnitude."));
    }
    if (!request.parameters.has("size")) {
        return std::unexpected(usage("the window has no size", "size is not given",
                                     "Give its size, for all axes or for each: --size 3."));
    }
    const auto axes = chosen_axes(request, "axes", rank);
    if (!axes) {
        return std::unexpected(axes.error());
    }
    const auto sizes = values_per_axis(request, "size", *axes, 1);
    if (!sizes) {
        return std::unexpected(sizes.error());
    }
    const auto origins = values_per_axis(request, "origin", *axes, 0);
    if (!origins) {
        return std::unexpected(origins.error());
    }
    OrderWindow window;
    window.statistic = statistic;
    for (std::size_t a = 0; a < static_cast<std::size_t>(rank); ++a) {
        if (const auto error = check_axis((*sizes)[a], (*origins)[a])) {
            return std::unexpected(*error);
        }
        window.size[a] = (*sizes)[a];
        window.before[a] = (*sizes)[a] / 2 + (*origins)[a];
    }
    if (const auto error = check_element_count(window)) {
        return std::unexpected(*error);
    }
    const auto* mode = request.parameters.get<std::string>("mode");
    const auto boundary = boundary_named(mode == nullptr ? "reflect" : *mode);
    if (!boundary) {
        return std::unexpected(usage("no such mode", *mode, "See: slab kernels median"));
    }
    window.boundary = boundary_of_filters(*boundary);
    const auto* cval = request.parameters.get<double>("cval");
    window.fill = fill_value(cval == nullptr ? 0.0 : *cval, input.dtype);

    KernelPlan plan;
    plan.output = {input.dtype, input.shape, MemoryOrder::c};
    plan.program = Program(window);
    // Wide enough for the vectors, then as many rows as there is room for: each tile reads its halo again.
    const auto fastest = static_cast<std::size_t>(rank - 1);
    plan.tiles.brick[fastest] = std::min<std::int64_t>(input.shape[rank - 1], 1024);
    plan.tiles.most[fastest] = 8192;
    return plan;
}

// What the modes look up beyond an end is a mirror image of what lies at most as far inside.
AxisRange order_statistic_reads(const BandQuery& query) {
    const auto window = query.plan->program.as<OrderWindow>();
    const auto axis = static_cast<std::size_t>(query.source_axis);
    const std::int64_t n = query.inputs[query.source][query.source_axis];
    const std::int64_t size = window.size[axis];
    if (window.boundary == Boundary::grid_wrap && size > 1) {
        return {0, n};
    }
    const std::int64_t reach = std::max(window.before[axis], size - 1 - window.before[axis]);
    return {std::max<std::int64_t>(query.rows.begin - reach, 0), std::min(n, query.rows.end + reach)};
}

}  // namespace slab::kernels
