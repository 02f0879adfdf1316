#include "daemon/kernels/chosen_axes.hpp"
#include "daemon/kernels/expression/compile.hpp"
#include "daemon/kernels/fold/fold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace slab::kernels {
namespace {

using fold::FoldTable;
using fold::HistogramBins;
using fold::RangeSource;
using fold::Reduction;

std::unexpected<Error> usage(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

Expected<Reduction> reduction_of(const PlanRequest& request) {
    const auto* const name = request.parameters.get<std::string>("reduce");
    const auto found = name == nullptr ? std::nullopt : fold::reduction_named(*name);
    if (!found) {
        return usage("fold needs to know how to reduce",
                     name == nullptr ? "--reduce is not given" : fmt::format("there is no '{}'", *name),
                     fmt::format("Give --reduce {}.", fmt::join(fold::reduction_names(), "|")));
    }
    const bool is_histogram = *found == Reduction::histogram;
    for (const char* const parameter : {"bins", "range"}) {
        if (request.parameters.has(parameter) && !is_histogram) {
            return usage(fmt::format("{} is of a histogram", parameter), fmt::format("--reduce is {}", *name),
                         fmt::format("Leave {} away, or give --reduce histogram.", parameter));
        }
    }
    if (is_histogram && request.parameters.has("axis")) {
        return usage("a histogram is of all axes", "--axis is given",
                     "Leave it away, or make a histogram of each part.");
    }
    return *found;
}

Expected<HistogramBins> bins_of(const PlanRequest& request) {
    HistogramBins bins{.count = 10, .source = RangeSource::values};
    if (const auto* const count = request.parameters.get<std::int64_t>("bins")) {
        if (*count < 1 || *count > fold::most_bins) {
            return usage(fmt::format("a histogram cannot have {} bins", *count),
                         fmt::format("bins is 1 to {}", fold::most_bins),
                         "Give fewer, over a smaller range.");
        }
        bins.count = *count;
    }
    const auto* const range = request.parameters.get<Table>("range");
    if (range == nullptr) {
        return bins;
    }
    if (range->values.size() != 2 || !std::isfinite(range->values[0]) || !std::isfinite(range->values[1]) ||
        !(range->values[0] <= range->values[1]) || !std::isfinite(range->values[1] - range->values[0])) {
        return usage("this is no range of a histogram",
                     range->values.size() == 2
                         ? fmt::format("it goes from {} to {}", range->values[0], range->values[1])
                         : fmt::format("it has {} numbers", range->values.size()),
                     "Give two finite numbers, the lower one first: --range 0,255");
    }
    bins.source = RangeSource::given;
    bins.low = range->values[0];
    bins.high = range->values[1];
    if (bins.low == bins.high) {  // as numpy
        bins.low -= 0.5;
        bins.high += 0.5;
    }
    if (!std::isfinite(static_cast<double>(bins.count) / (bins.high - bins.low)) ||
        static_cast<float>(bins.high) - static_cast<float>(bins.low) == 0.0F) {
        return usage("this range is too narrow for bins",
                     fmt::format("it goes from {} to {}", bins.low, bins.high),
                     "Give a wider one, or subtract the low end in the expression.");
    }
    return bins;
}

Expected<std::int64_t> freedom_of(const PlanRequest& request) {
    const auto* const freedom = request.parameters.get<std::int64_t>("ddof");
    if (freedom != nullptr && *freedom < 0) {
        return usage(fmt::format("ddof cannot be {}", *freedom), "it is 0 or more",
                     "Give 0, or 1 for a sample.");
    }
    return freedom == nullptr ? 0 : *freedom;
}

Expected<expression::BlockProgram> program_of(const PlanRequest& request, Reduction reduction, DType& type) {
    const auto* const text = request.parameters.get<std::string>("expr");
    std::vector<DType> types;
    for (const ArrayDescription& input : request.inputs) {
        types.push_back(input.dtype);
    }
    const std::string_view expression = text == nullptr ? "a" : std::string_view(*text);
    const auto plain = expression::compile(expression, types);
    if (!plain) {
        return std::unexpected(plain.error());
    }
    type = plain->result_type;
    if (reduction == Reduction::histogram && (type == DType::complex64 || type == DType::complex128)) {
        return usage("a histogram is of real numbers", fmt::format("the expression is {}", name_of(type)),
                     "Take real(x), imag(x) or abs(x).");
    }
    return expression::compile(expression, types, fold::gathering_types(reduction, type).casts);
}

// Sums of approximated values are as far off as all of them.
double tolerance_of(const FoldTable& table) {
    const double each = expression::approximation_of(table.program);
    const bool adds_up = table.reduction == Reduction::sum || table.reduction == Reduction::product;
    return adds_up ? each * static_cast<double>(table.geometry.reduced) : each;
}

void add_phases(KernelPlan& plan, const FoldTable& table, std::int64_t fields) {
    const auto add = [&](const Shape& shape) {
        plan.workspaces.push_back(
            {{DType::uint64, shape, MemoryOrder::c}, fold::partial_tiles(table.geometry, shape[3])});
    };
    if (table.reduction == Reduction::histogram && table.bins.source == RangeSource::values) {
        add(table.geometry.partials(2));
        add({1, 1, 1, 2});
        add(table.geometry.partials(fields));
        return;
    }
    add(table.geometry.partials(fields));
    plan.gathers = 0;
}

// That of the first input that is as large as all of them together, without the axes that are gone.
OutputGrid grid_of(const PlanRequest& request, const Shape& space,
                   const std::array<bool, max_rank>& reduced) {
    OutputGrid grid{.change = OutputGrid::Change::lost};
    const auto has_all = [&space](const ArrayDescription& input) { return input.shape == space; };
    const auto whole = std::ranges::find_if(request.inputs, has_all);
    grid.map.input_rank = space.rank;
    for (int axis = 0; axis < space.rank; ++axis) {
        if (reduced[static_cast<std::size_t>(axis)]) {
            grid.map.offset[static_cast<std::size_t>(axis)] = static_cast<double>(space[axis] - 1) / 2.0;
        } else {
            grid.map.at(axis, grid.map.output_rank++) = 1.0;
        }
    }
    if (whole != request.inputs.end() && grid.map.output_rank > 0) {
        grid.change = OutputGrid::Change::mapped;
        grid.input = static_cast<std::size_t>(whole - request.inputs.begin());
    }
    return grid;
}

}  // namespace

Expected<KernelPlan> plan_fold(const PlanRequest& request) {
    if (request.inputs.empty() || request.inputs.size() > most_inputs) {
        return usage("fold takes 1 to 16 inputs", fmt::format("{} given", request.inputs.size()),
                     "See: slab kernels fold");
    }
    const auto reduction = reduction_of(request);
    if (!reduction) {
        return std::unexpected(reduction.error());
    }
    auto space = expression::broadcast(request);
    if (!space) {
        return std::unexpected(space.error());
    }
    const auto axes = chosen_axes(request, "axis", space->shape.rank);
    if (!axes) {
        return std::unexpected(axes.error());
    }
    if (fold::is_index(*reduction) && axes->size() > 1 &&
        axes->size() < static_cast<std::size_t>(space->shape.rank)) {
        return usage("an index is along one axis, or over all",
                     fmt::format("--axis names {} of {}", axes->size(), space->shape.rank),
                     "Name one axis, or leave --axis away.");
    }
    const auto freedom = freedom_of(request);
    const auto bins = bins_of(request);
    if (!freedom || !bins) {
        return std::unexpected(freedom ? bins.error() : freedom.error());
    }
    DType type = DType::float64;
    const auto program = program_of(request, *reduction, type);
    if (!program) {
        return std::unexpected(program.error());
    }

    FoldTable table{.space = *space,
                    .program = *program,
                    .geometry = {},
                    .bins = *bins,
                    .freedom = *freedom,
                    .reduction = *reduction,
                    .gathered = program->result_type};
    const bool is_histogram = *reduction == Reduction::histogram;
    const std::int64_t state_bytes =
        is_histogram ? 8 * bins->count : fold::scalar_fold(*reduction, table.gathered).state_bytes;
    std::array<bool, max_rank> reduced{};
    for (const int axis : *axes) {
        reduced[static_cast<std::size_t>(axis)] = true;
    }
    table.geometry = fold::fold_geometry(space->shape, std::span<const bool>(reduced), request.axes,
                                         fold::is_index(*reduction), state_bytes);

    KernelPlan plan;
    plan.output = {fold::result_type(*reduction, type), {}, MemoryOrder::c};
    for (int axis = 0; axis < space->shape.rank; ++axis) {
        if (!reduced[static_cast<std::size_t>(axis)]) {
            plan.output.shape.extents[static_cast<std::size_t>(plan.output.shape.rank++)] =
                space->shape[axis];
        }
    }
    if (plan.output.shape.rank == 0) {
        plan.output.shape = {is_histogram ? bins->count : 1};
        plan.is_answer = true;
    }
    plan.grid = grid_of(request, space->shape, reduced);
    add_phases(plan, table, state_bytes / 8);
    plan.tolerance = tolerance_of(table);
    plan.table.resize(sizeof(table));
    std::memcpy(plan.table.data(), &table, sizeof(table));
    return plan;
}

AxisRange fold_band_reads(const BandQuery& query) {
    const auto& table = *reinterpret_cast<const FoldTable*>(query.plan->table.data());
    const fold::FoldGeometry& geometry = table.geometry;
    const bool is_input = query.source < query.inputs.size();
    const Shape& shape = is_input ? query.inputs[query.source]
                                  : query.plan->workspaces[query.source - query.inputs.size()].array.shape;
    const AxisRange whole{0, shape[query.source_axis]};
    // Rows of what gathers are indices of the space's slowest axes: of the groups, or of `lead`.
    const bool goes_along = query.output_axis == (geometry.leads() ? 0 : 1);
    if (!is_input || !query.plan->gathers || !goes_along) {
        return whole;
    }
    const fold::FoldAxis& first = geometry.axes[0];
    const std::int64_t size = geometry.leads() ? 1 : geometry.group_size;
    const std::int64_t begin = query.rows.begin * size * first.stride;
    const std::int64_t end = std::min(query.rows.end * size, first.extent) * first.stride;
    const int slowest = band_axis_of(table.space.shape);
    const std::int64_t stride = expression::strides_of(table.space.shape)[static_cast<std::size_t>(slowest)];
    return expression::input_rows(table.space, shape, query.source, query.source_axis, slowest,
                                  {begin / stride, (end + stride - 1) / stride});
}

}  // namespace slab::kernels
