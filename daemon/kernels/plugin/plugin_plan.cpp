// A plug-in's kernel as the daemon plans it: by its rules alone, none of its code runs.

#include "daemon/kernels/plugin/plugin_tile.hpp"
#include "daemon/kernels/plugin/plugin_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace slab::kernels {
namespace {

// The request with the axes that the rules are about: the user's, unless the kernel treats all axes alike.
PlanRequest with_rule_axes(const PlanRequest& request, bool is_turned) {
    PlanRequest result = request;
    if (is_turned) {
        for (ArrayDescription& input : result.inputs) {
            input.shape = reversed(input.shape);
        }
        result.parameters.reverse_axes();
        result.axes = AxisOrder::as_given;
    }
    return result;
}

Error wrong_input(const PluginKernel& kernel, std::size_t input, const std::string& what,
                  const std::string& because) {
    return {ErrorKind::usage,
            fmt::format("{} takes {} as {}", kernel.description.name,
                        kernel.description.inputs[kernel.described(input)].name, what),
            because, fmt::format("See: slab kernels {}", kernel.description.name)};
}

std::optional<Error> check_arrays(const PluginKernel& kernel, const PlanRequest& request) {
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        const ArrayDescription& array = request.inputs[i];
        const std::size_t described = kernel.described(i);
        const auto [least, most] = kernel.dimensions[described];
        if (array.shape.rank < least || array.shape.rank > most) {
            return wrong_input(kernel, i,
                               least == most
                                   ? fmt::format("an array of {} dimension{}", least, least == 1 ? "" : "s")
                                   : fmt::format("an array of {} to {} dimensions", least, most),
                               fmt::format("its shape is {}", to_text(array.shape)));
        }
        const AcceptedDTypes& accepts = kernel.accepts[described];
        const auto is_alike = [&](std::size_t earlier) {
            return earlier < i && request.inputs[earlier].dtype == array.dtype;
        };
        if (!accepts.dtypes.test(static_cast<std::size_t>(array.dtype)) &&
            std::ranges::none_of(accepts.as_inputs, is_alike)) {
            std::string names;
            for (std::size_t dtype = 0; dtype < dtype_count; ++dtype) {
                if (accepts.dtypes.test(dtype)) {
                    names += (names.empty() ? "" : ", ") + std::string(name_of(static_cast<DType>(dtype)));
                }
            }
            for (const std::size_t earlier : accepts.as_inputs) {
                names += fmt::format("{}the dtype of {} ({})", names.empty() ? "" : ", ",
                                     kernel.description.inputs[earlier].name,
                                     name_of(request.inputs[earlier].dtype));
            }
            return wrong_input(kernel, i, names, fmt::format("it is {}", name_of(array.dtype)));
        }
    }
    return std::nullopt;
}

// Whether they have the shapes that follow from other inputs.
std::optional<Error> check_shapes(const PluginKernel& kernel, const std::vector<Shape>& shapes,
                                  const SymbolTable& symbols) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        const std::optional<ShapeRule>& rule = kernel.shapes[kernel.described(i)];
        const auto wanted = rule ? rule->shape(symbols.symbols(), shapes) : shapes[i];
        if (!wanted || *wanted != shapes[i]) {
            return wrong_input(kernel, i,
                               wanted ? fmt::format("an array of shape {}", to_text(*wanted))
                                      : "an array of the shape that the others ask for: " + wanted.error(),
                               fmt::format("its shape is {}", to_text(shapes[i])));
        }
    }
    return std::nullopt;
}

DType dtype_of(const PluginKernel& kernel, const DTypeRule& rule, const PlanRequest& request) {
    if (rule.from == DTypeRule::From::input) {
        return request.inputs[rule.number].dtype;
    }
    if (rule.from == DTypeRule::From::parameter) {
        const std::string& name = kernel.description.parameters[rule.number].name;
        return parse_dtype(*request.parameters.get<std::string>(name))->dtype;
    }
    return rule.dtype;
}

Error wrong_rule(const PluginKernel& kernel, const PluginPhase& phase, std::string_view field,
                 const std::string& why) {
    return {ErrorKind::usage, fmt::format("{} cannot do that: {}", kernel.description.name, why),
            fmt::format("that is the {} of its {}, in the plug-in {}", field,
                        phase.name.empty() ? "output" : fmt::format("workspace '{}'", phase.name),
                        kernel.description.plugin),
            fmt::format("Give other parameters or arrays; see: slab kernels {}", kernel.description.name)};
}

// The first and the last tile that there can be. Ranges that may be read, and all that they are computed of, only rise or
// only fall from one to the other: what can be computed for both can be for every tile between.
std::array<Box, 2> end_tiles(const Shape& shape) {
    std::array<Box, 2> tiles{whole(shape), whole(shape)};
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(shape.rank); ++axis) {
        tiles[0].end[axis] = 1;
        tiles[1].begin[axis] = shape.extents[axis] - 1;
    }
    return tiles;
}

// Whether all that a phase reads can be told, of the tile in `symbols`. `filled`: the shapes of the workspaces before it.
std::optional<Error> check_reads(const PluginKernel& kernel, const PluginPhase& phase,
                                 const SymbolTable& symbols, const std::vector<Shape>& inputs,
                                 const std::vector<Shape>& filled) {
    const auto check = [&](std::size_t rule, const std::string& name,
                           const Shape& array) -> std::optional<Error> {
        const auto problem = phase.reads[rule].complaint(symbols.symbols(), array);
        return problem ? std::optional(wrong_rule(kernel, phase, "reads",
                                                  fmt::format("what it reads of {}: {}", name, *problem)))
                       : std::nullopt;
    };
    const std::size_t described = kernel.description.inputs.size();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::size_t rule = kernel.described(i);
        if (auto problem = check(rule, kernel.description.inputs[rule].name, inputs[i])) {
            return problem;
        }
    }
    for (std::size_t i = 0; i < filled.size(); ++i) {
        if (auto problem = check(described + i, kernel.phases[i].name, filled[i])) {
            return problem;
        }
    }
    return std::nullopt;
}

void turn(TilePreference& tiles, int rank) {
    const auto count = static_cast<std::ptrdiff_t>(rank);
    std::reverse(tiles.brick.begin(), tiles.brick.begin() + count);
    std::reverse(tiles.most.begin(), tiles.most.begin() + count);
    std::reverse(tiles.least.begin(), tiles.least.begin() + count);
    std::reverse(tiles.is_whole.begin(), tiles.is_whole.begin() + count);
}

}  // namespace

Expected<KernelPlan> plan_plugin(const PluginKernel& kernel, const PlanRequest& asked) {
    const bool is_turned = asked.axes == AxisOrder::reversed && (kernel.flags & SLAB_AXES_ALIKE) == 0;
    const PlanRequest request = with_rule_axes(asked, is_turned);
    if (auto problem = check_arrays(kernel, request)) {
        return std::unexpected(std::move(*problem));
    }
    if (auto problem = check_values(kernel, request.parameters)) {
        return std::unexpected(std::move(*problem));
    }
    auto table = store_values(kernel, request);
    if (!table) {
        return std::unexpected(table.error());
    }
    std::vector<Shape> shapes;
    for (const ArrayDescription& input : request.inputs) {
        shapes.push_back(input.shape);
    }
    SymbolTable symbols(kernel, shapes, *table);
    if (auto problem = check_shapes(kernel, shapes, symbols)) {
        return std::unexpected(std::move(*problem));
    }

    KernelPlan plan;
    plan.program = Program(PluginProgram{is_turned ? 1U : 0U});
    std::vector<Shape> filled;
    for (const PluginPhase& phase : kernel.phases) {
        const auto shape = phase.shape.shape(symbols.symbols(), shapes);
        if (!shape) {
            return std::unexpected(wrong_rule(kernel, phase, "shape", shape.error()));
        }
        auto tiles = phase.tile.preference(symbols.symbols(), *shape);
        if (!tiles) {
            return std::unexpected(wrong_rule(kernel, phase, "tile", "its size of tiles: " + tiles.error()));
        }
        for (const Box& tile : end_tiles(*shape)) {
            symbols.set_tile(tile);
            if (auto problem = check_reads(kernel, phase, symbols, shapes, filled)) {
                return std::unexpected(std::move(*problem));
            }
        }
        filled.push_back(*shape);
        if (is_turned) {
            turn(*tiles, shape->rank);
        }
        const ArrayDescription array{dtype_of(kernel, phase.dtype, request),
                                     is_turned ? reversed(*shape) : *shape, MemoryOrder::c};
        if (filled.size() < kernel.phases.size()) {
            plan.workspaces.push_back({array, *tiles});
        } else {
            plan.output = array;
            plan.tiles = *tiles;
        }
    }
    const int band_axis = band_axis_of(plan.output.shape);
    if (plan.tiles.is_whole[static_cast<std::size_t>(band_axis)]) {
        plan.band_step = plan.output.shape[band_axis];
    }
    plan.table = std::move(*table);
    plan.grid.change =
        (kernel.flags & SLAB_GRID_LOST) != 0 ? OutputGrid::Change::lost : OutputGrid::Change::same;
    return plan;
}

AxisRange plugin_band_reads(const PluginKernel& kernel, const BandQuery& query) {
    const bool is_turned = query.plan->program.as<PluginProgram>().is_turned != 0;
    const auto turned = [is_turned](const Shape& shape) { return is_turned ? reversed(shape) : shape; };
    const auto rule_axis = [is_turned](const Shape& shape, int axis) {
        return is_turned ? shape.rank - 1 - axis : axis;
    };
    std::vector<Shape> inputs;
    for (const Shape& input : query.inputs) {
        inputs.push_back(turned(input));
    }
    SymbolTable symbols(kernel, inputs, query.plan->table);

    // Back from the output: what each phase must fill, along its own band axis, and so what it reads. Ranges that meet are
    // joined; each may only move forward from band to band, and so may the joined one.
    const std::size_t workspaces = query.plan->workspaces.size();
    std::vector<std::optional<AxisRange>> needed(workspaces + 1);
    std::optional<AxisRange> of_source;
    const auto join = [](std::optional<AxisRange>& all, const AxisRange& range) {
        all = all ? AxisRange{std::min(all->begin, range.begin), std::max(all->end, range.end)} : range;
    };
    needed[workspaces] = query.rows;
    for (std::size_t phase = workspaces + 1; phase-- > 0;) {
        const bool is_output = phase == workspaces;
        const Shape& target =
            is_output ? query.plan->output.shape : query.plan->workspaces[phase].array.shape;
        const int band_axis = is_output ? query.output_axis : band_axis_of(target);
        const TilePreference& tiles = is_output ? query.plan->tiles : query.plan->workspaces[phase].tiles;
        // One that nothing reads is filled as little as can be.
        needed[phase] = needed[phase].value_or(AxisRange{0, 1});
        if (tiles.is_whole[static_cast<std::size_t>(band_axis)]) {
            needed[phase] = AxisRange{0, target[band_axis]};
        }
        Box tile = whole(turned(target));
        const auto along = static_cast<std::size_t>(rule_axis(target, band_axis));
        tile.begin[along] = needed[phase]->begin;
        tile.end[along] = needed[phase]->end;
        symbols.set_tile(tile);
        const auto read = [&](std::size_t rule, const Shape& source, int source_axis,
                              std::optional<AxisRange>& all) {
            const ReadRule& reads = kernel.phases[phase].reads[rule];
            if (!reads.reads_nothing()) {
                // The plan has looked: it can be computed.
                join(all, *reads.range(symbols.symbols(), turned(source), rule_axis(source, source_axis)));
            }
        };
        if (query.source < query.inputs.size()) {
            read(kernel.described(query.source), query.inputs[query.source], query.source_axis, of_source);
        }
        for (std::size_t before = 0; before < phase; ++before) {
            const Shape& source = query.plan->workspaces[before].array.shape;
            read(kernel.description.inputs.size() + before, source, band_axis_of(source), needed[before]);
        }
    }
    if (query.source >= query.inputs.size()) {
        return *needed[query.source - query.inputs.size()];
    }
    return of_source.value_or(AxisRange{0, 1});
}

}  // namespace slab::kernels
