#include "tests/plugins/rows.h"
#include "tests/process/test_kernels/test_kernels.hpp"

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "test_rows",
        .summary = "test kernel: sqrt(a) + a * a",
        .details = "For the benchmark of plug-ins only: what tests/plugins/rows.c computes, built in.",
        .inputs = {{"a", "2-D"}},
        .parameters = {},
        .dtypes = "float64",
        .reads = Reads::point,
        .example = "",
    };
    return description;
}

Expected<KernelPlan> plan(const PlanRequest& request) {
    KernelPlan plan;
    plan.output = request.inputs.front();
    return plan;
}

void fill(const TileCall& call) noexcept {
    const Box& tile = call.tile;
    const auto* const in = reinterpret_cast<const double*>(call.inputs.front().data);
    auto* const out = reinterpret_cast<double*>(call.target.data);
    for (std::int64_t y = tile.begin[0]; y < tile.end[0]; ++y) {
        const std::int64_t first = y * call.target.shape[1] + tile.begin[1];
        fill_row(in + first, out + first, tile.extent(1));
    }
}

AxisRange band_reads(const BandQuery& query) {
    return query.rows;
}

}  // namespace

Kernel test_rows_kernel() {
    return {describe, plan, fill, fill, band_reads};
}

}  // namespace slab::kernels
