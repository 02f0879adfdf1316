#include "daemon/kernels/expression/compile.hpp"
#include "daemon/kernels/map/map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace slab::kernels {

Expected<KernelPlan> plan_map(const PlanRequest& request) {
    if (request.inputs.empty() || request.inputs.size() > most_inputs) {
        return std::unexpected(Error{ErrorKind::usage, "map takes 1 to 16 inputs",
                                     fmt::format("{} given", request.inputs.size()),
                                     "See: slab kernels map"});
    }
    const auto* const text = request.parameters.get<std::string>("expr");
    if (text == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, "map needs an expression", "--expr is not given",
                  "Say what is computed of the inputs a, b, ...: --expr 'sqrt(a) + b**2'"});
    }
    auto space = expression::broadcast(request);
    if (!space) {
        return std::unexpected(space.error());
    }
    std::vector<DType> wanted;
    if (const auto* const name = request.parameters.get<std::string>("output_dtype")) {
        const auto parsed = parse_dtype(*name);
        if (!parsed) {
            return std::unexpected(Error{ErrorKind::usage, fmt::format("there is no dtype '{}'", *name),
                                         "output_dtype is one of numpy's names", "Give float32, say."});
        }
        wanted.push_back(parsed->dtype);
    }
    std::vector<DType> types;
    for (const ArrayDescription& input : request.inputs) {
        types.push_back(input.dtype);
    }
    auto program = expression::compile(*text, types, wanted);
    if (!program) {
        return std::unexpected(program.error());
    }

    KernelPlan plan;
    plan.output = {program->result_type, space->shape, MemoryOrder::c};
    const auto last = static_cast<std::size_t>(space->shape.rank - 1);
    plan.tiles.brick[last] = std::min<std::int64_t>(
        space->shape.extents[last], 4096 / static_cast<std::int64_t>(size_of(program->result_type)));
    plan.tolerance = expression::approximation_of(*program);
    const MapTable table{*space, *program};
    plan.table.resize(sizeof(table));
    std::memcpy(plan.table.data(), &table, sizeof(table));
    return plan;
}

AxisRange map_band_reads(const BandQuery& query) {
    const auto& table = *reinterpret_cast<const MapTable*>(query.plan->table.data());
    return expression::input_rows(table.space, query.inputs[query.source], query.source, query.source_axis,
                                  query.output_axis, query.rows);
}

}  // namespace slab::kernels
