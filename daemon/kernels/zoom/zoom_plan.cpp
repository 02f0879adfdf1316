#include "daemon/kernels/zoom/spline_zoom.hpp"
#include "daemon/kernels/zoom/zoom.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

// One value for each axis, from one for all or one for each.
template <typename T>
Expected<std::vector<T>> value_per_axis(std::string_view name, const std::vector<T>& given,
                                        const Shape& input) {
    const auto rank = static_cast<std::size_t>(input.rank);
    if (given.size() == rank) {
        return given;
    }
    if (given.size() == 1) {
        return std::vector<T>(rank, given.front());
    }
    return std::unexpected(
        usage(fmt::format("the number of values of {} does not fit the array", name),
              fmt::format("{} values are given, the array has {} dimensions: {}", given.size(), rank,
                          to_text(input)),
              fmt::format("Give one value of {} for all axes, or {} values, one for each.", name, rank)));
}

Expected<ZoomConvention> convention_of(const ParameterValues& parameters) {
    const auto* name = parameters.get<std::string>("convention");
    const std::optional<ZoomConvention> convention =
        name == nullptr ? ZoomConvention::scipy : zoom_convention_named(*name);
    if (!convention) {
        return std::unexpected(usage(fmt::format("zoom knows no convention {}", *name),
                                     "it knows scipy, scipy-grid, round and floor",
                                     "Choose one of them; scipy is the default."));
    }
    return *convention;
}

bool is_nearest_by_definition(ZoomConvention convention) {
    return convention == ZoomConvention::round || convention == ZoomConvention::floor;
}

Expected<int> order_of(const ParameterValues& parameters, ZoomConvention convention) {
    const auto* order = parameters.get<std::int64_t>("order");
    if (order == nullptr) {
        return is_nearest_by_definition(convention) ? 0 : 3;
    }
    if (*order != 0 && is_nearest_by_definition(convention)) {
        return std::unexpected(
            usage(fmt::format("this convention has no order {}", *order),
                  "the conventions round and floor are nearest neighbour by definition: order 0",
                  "Leave order out, or choose the convention scipy or scipy-grid."));
    }
    if (*order < 0 || *order > most_order) {
        return std::unexpected(usage(fmt::format("zoom does not know order {}", *order),
                                     fmt::format("splines of the orders 0 to {} are known", most_order),
                                     "Give order 0 (nearest neighbour), 1 (linear), 3 (cubic) or 5."));
    }
    return static_cast<int>(*order);
}

// A choice's value, or its default where a caller left it out.
std::string_view choice_of(const ParameterValues& parameters, std::string_view name,
                           std::string_view fallback) {
    const auto* given = parameters.get<std::string>(name);
    return given == nullptr ? fallback : std::string_view(*given);
}

Expected<SplineZoomRequest> spline_request_of(const ParameterValues& parameters, ZoomConvention convention,
                                              DType dtype) {
    const Expected<int> order = order_of(parameters, convention);
    if (!order) {
        return std::unexpected(order.error());
    }
    const std::string_view mode = choice_of(parameters, "mode", "constant");
    const std::string_view prefilter = choice_of(parameters, "prefilter", "on");
    const std::string_view precision = choice_of(parameters, "precision", "auto");
    const std::optional<Boundary> boundary = boundary_named(mode);
    const std::optional<Precision> precision_value = precision_named(precision);
    if (!boundary || !precision_value || (prefilter != "on" && prefilter != "off")) {
        return std::unexpected(
            usage("a choice of zoom does not exist",
                  fmt::format("mode is {}, prefilter is {}, precision is {}", mode, prefilter, precision),
                  "Look at slab kernels zoom for what there is."));
    }
    const auto* given_cval = parameters.get<double>("cval");
    const double cval = given_cval == nullptr ? 0.0 : *given_cval;
    const bool holds_any = part_dtype(dtype) == DType::float32 || part_dtype(dtype) == DType::float64;
    if (!std::isfinite(cval) && !holds_any) {
        return std::unexpected(usage(fmt::format("{} holds no value {}", name_of(dtype), cval),
                                     "cval is what lies beyond the array, and goes into the output",
                                     "Give a finite cval, or convert the array to float32 or float64."));
    }
    const auto* antialias = parameters.get<bool>("antialias");
    SplineZoomRequest request{};
    request.zoom.convention = convention;
    request.zoom.order = *order;
    request.zoom.boundary = *boundary;
    request.zoom.cval = cval;
    request.type = working_type(dtype, *precision_value, *order);
    request.is_prefiltered = prefilter == "on";
    request.is_antialiased = antialias != nullptr && *antialias;
    return request;
}

// int(round(n * factor)), half to even, as scipy.
Expected<std::int64_t> zoomed_extent(int axis, std::int64_t n, double factor) {
    if (!(factor > 0.0) || std::isinf(factor)) {
        return std::unexpected(
            usage("the factor of a zoom must be a finite number above 0",
                  fmt::format("axis {} has factor {}", axis, factor),
                  "Give a factor above 0, such as 2 to double the size or 0.5 to halve it."));
    }
    const double extent = std::nearbyint(static_cast<double>(n) * factor);
    if (extent < 1.0) {
        return std::unexpected(
            usage("the output would be empty",
                  fmt::format("axis {} has {} elements; times {} rounds to 0", axis, n, factor),
                  fmt::format("Give axis {} a factor above {}, or the output's shape.", axis,
                              0.5 / static_cast<double>(n))));
    }
    if (extent >= 0x1p63) {
        return std::unexpected(
            usage("the output's size does not fit in 63 bits",
                  fmt::format("axis {} has {} elements; times {} is {}", axis, n, factor, extent),
                  "Give a smaller factor."));
    }
    return static_cast<std::int64_t>(extent);
}

struct Sizes {
    Shape output;
    std::array<double, max_rank> factors{};
};

Expected<Sizes> sizes_by_factor(const Shape& input, const std::vector<double>& given) {
    const Expected<std::vector<double>> factors = value_per_axis("factor", given, input);
    if (!factors) {
        return std::unexpected(factors.error());
    }
    Sizes sizes{input, {}};
    for (int axis = 0; axis < input.rank; ++axis) {
        const double factor = (*factors)[static_cast<std::size_t>(axis)];
        const Expected<std::int64_t> extent = zoomed_extent(axis, input[axis], factor);
        if (!extent) {
            return std::unexpected(extent.error());
        }
        sizes.output[axis] = *extent;
        sizes.factors[static_cast<std::size_t>(axis)] = factor;
    }
    return sizes;
}

Expected<Sizes> sizes_by_shape(const Shape& input, const std::vector<std::int64_t>& given) {
    const Expected<std::vector<std::int64_t>> extents = value_per_axis("shape", given, input);
    if (!extents) {
        return std::unexpected(extents.error());
    }
    Sizes sizes{input, {}};
    for (int axis = 0; axis < input.rank; ++axis) {
        const std::int64_t extent = (*extents)[static_cast<std::size_t>(axis)];
        if (extent < 1) {
            return std::unexpected(usage("the output would be empty",
                                         fmt::format("axis {} is to have {} elements", axis, extent),
                                         "Give each axis a size of at least 1."));
        }
        sizes.output[axis] = extent;
        sizes.factors[static_cast<std::size_t>(axis)] =
            static_cast<double>(extent) / static_cast<double>(input[axis]);
    }
    return sizes;
}

Expected<Sizes> sizes_of(const Shape& input, const ParameterValues& parameters) {
    const auto* factor = parameters.get<std::vector<double>>("factor");
    const auto* shape = parameters.get<std::vector<std::int64_t>>("shape");
    if ((factor == nullptr) == (shape == nullptr)) {
        const std::string_view given = factor == nullptr ? "neither is given" : "both are given";
        return std::unexpected(usage("zoom takes either a factor or the output's shape", std::string(given),
                                     "Give exactly one of factor and shape, for example factor 2."));
    }
    return factor != nullptr ? sizes_by_factor(input, *factor) : sizes_by_shape(input, *shape);
}

// A tile should hold all repeats of a source row, or the row is read and expanded again in the next tile.
// Along the planes it holds eight times as many, since under most conventions the repeats don't begin at
// multiples of the factor (measured for factor 2, round: 1.13 of the store limit, against 1.18 with four
// times as many). Not more rows than `most_rows` in all: a source element that is repeated so often costs
// nothing to read.
TilePreference tiles_for(const Shape& input, const Shape& output, std::size_t element_bytes) {
    constexpr std::int64_t most_rows = 64;
    constexpr std::int64_t row_bytes = 4096;  // few lines of memory are shared between tiles
    TilePreference tiles;
    const int row_axis = output.rank - 1;
    tiles.brick[static_cast<std::size_t>(row_axis)] =
        std::min(output[row_axis], row_bytes / static_cast<std::int64_t>(element_bytes));
    std::int64_t rows = 1;
    for (int axis = row_axis - 1; axis >= 0; --axis) {
        const std::int64_t repeats = (output[axis] - 1) / input[axis] + 1;
        const std::int64_t wanted = axis == row_axis - 2 && repeats > 1 ? 8 * repeats : repeats;
        const std::int64_t brick = std::min({wanted, most_rows / rows, output[axis]});
        tiles.brick[static_cast<std::size_t>(axis)] = brick;
        rows *= brick;
    }
    return tiles;
}

GridMap grid_of(const ZoomProgram& program, const Shape& input, const Shape& output) {
    GridMap map = GridMap::same(input.rank);
    for (int axis = 0; axis < input.rank; ++axis) {
        const ZoomLine line = zoom_line(zoom_axis(program, axis, input[axis], output[axis]));
        map.at(axis, axis) = line.step;
        map.offset[static_cast<std::size_t>(axis)] = line.offset;
    }
    return map;
}

}  // namespace

Expected<KernelPlan> plan_zoom(const PlanRequest& request) {
    if (request.inputs.size() != 1) {
        return std::unexpected(
            usage("zoom takes one input", fmt::format("{} given", request.inputs.size()), "Give one array."));
    }
    const ArrayDescription& input = request.inputs[0];
    if (input.shape.rank < 1) {
        return std::unexpected(usage("zoom takes an array of 1 to 5 dimensions",
                                     "the input is a single value",
                                     "Give an array with at least one dimension."));
    }
    const Expected<ZoomConvention> convention = convention_of(request.parameters);
    if (!convention) {
        return std::unexpected(convention.error());
    }
    Expected<SplineZoomRequest> spline = spline_request_of(request.parameters, *convention, input.dtype);
    if (!spline) {
        return std::unexpected(spline.error());
    }
    const Expected<Sizes> sizes = sizes_of(input.shape, request.parameters);
    if (!sizes) {
        return std::unexpected(sizes.error());
    }

    KernelPlan plan;
    plan.output = {input.dtype, sizes->output, MemoryOrder::c};
    if (!checked_byte_count(plan.output)) {
        return std::unexpected(usage(
            "the output's size does not fit in 63 bits",
            fmt::format("it would have the shape {} of {}", to_text(sizes->output), name_of(input.dtype)),
            "Give a smaller factor or shape."));
    }
    spline->zoom.factors = sizes->factors;
    bool is_shrinking = false;
    bool is_changing = false;
    plan.grid = OutputGrid::mapped(0, grid_of(spline->zoom, input.shape, sizes->output));
    for (int axis = 0; axis < input.shape.rank; ++axis) {
        is_shrinking = is_shrinking || sizes->output[axis] < input.shape[axis];
        is_changing = is_changing || (!spline->is_prefiltered && spline->zoom.order >= 2) ||
                      !is_unchanged(zoom_axis(spline->zoom, axis, input.shape[axis], sizes->output[axis]));
    }
    if (is_changing && (spline->zoom.order > 0 || (spline->is_antialiased && is_shrinking))) {
        const Expected<void> planned = plan_spline_zoom(*spline, input, plan);
        if (!planned) {
            return std::unexpected(planned.error());
        }
        return plan;
    }
    // Elements are moved. Where no axis changes, every order that interpolates samples is the identity.
    spline->zoom.order = 0;
    plan.program = Program(spline->zoom);
    plan.tiles = tiles_for(input.shape, sizes->output, size_of(input.dtype));
    plan.only_moves = !(spline->zoom.convention == ZoomConvention::scipy_grid &&
                        spline->zoom.boundary == Boundary::constant);  // which shows cval around the edge
    return plan;
}

}  // namespace slab::kernels
