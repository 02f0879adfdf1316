#include "tests/process/test_kernels/test_kernels.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

namespace slab::kernels {
namespace {

// Whole numbers, so that the result by hand is exact:
//   phase 0  numbers[k] = k * k + 8, from the table; small, every band needs all of it
//   phase 1  sums[y, x] = input[y-2..y+2, x] summed + numbers[x % 64]; rows beyond the ends are the outermost
//   phase 2  output[y, x] = sums[y-1..y+1, x] summed * numbers[y % 64]
constexpr std::int64_t number_count = 64;
constexpr std::int64_t sum_halo = 2;
constexpr std::int64_t output_halo = 1;

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "test_phases",
        .summary = "test kernel: sums of sums, in three phases",
        .details = "For the tests of the daemon only.",
        .inputs = {{"a", "2-D"}},
        .parameters = {{"milliseconds", ParameterType::integer, "how long a tile takes", ">= 0", {}, "0"}},
        .dtypes = "int64",
        .reads = Reads::window,
        .example = "",
    };
    return description;
}

Expected<KernelPlan> plan(const PlanRequest& request) {
    KernelPlan plan;
    const ArrayDescription& input = request.inputs.front();
    if (input.shape.rank != 2 || input.dtype != DType::int64) {
        return std::unexpected(Error{ErrorKind::usage, "test_phases takes a 2-D array of int64", "", ""});
    }
    plan.output = input;
    plan.program = Program(*request.parameters.get<std::int64_t>("milliseconds"));
    plan.workspaces = {{{DType::int64, {number_count}, MemoryOrder::c}, {}}, {input, {}}};
    std::vector<std::int64_t> table;
    for (std::int64_t k = 0; k < number_count; ++k) {
        table.push_back(k * k + 1);
    }
    plan.table.resize(table.size() * sizeof(std::int64_t));
    std::memcpy(plan.table.data(), table.data(), plan.table.size());
    return plan;
}

AxisRange widened(const AxisRange& rows, std::int64_t halo, std::int64_t most) {
    return {std::max<std::int64_t>(0, rows.begin - halo), std::min(most, rows.end + halo)};
}

AxisRange band_reads(const BandQuery& query) {
    const std::int64_t rows = query.inputs[0][query.output_axis];
    switch (query.source) {
    case 0: return query.output_axis == 0 ? widened(query.rows, sum_halo + output_halo, rows) : query.rows;
    case 1: return {0, number_count};
    default: return query.output_axis == 0 ? widened(query.rows, output_halo, rows) : query.rows;
    }
}

std::int64_t element(const std::byte* data, std::int64_t index) {
    std::int64_t value = 0;
    std::memcpy(&value, data + index * std::int64_t{sizeof(value)}, sizeof(value));
    return value;
}

void store(std::byte* data, std::int64_t index, std::int64_t value) {
    std::memcpy(data + index * std::int64_t{sizeof(value)}, &value, sizeof(value));
}

std::int64_t column_sum(const ConstArrayView& array, std::int64_t y, std::int64_t x, std::int64_t halo) {
    std::int64_t sum = 0;
    for (std::int64_t row = y - halo; row <= y + halo; ++row) {
        sum += element(array.data, std::clamp<std::int64_t>(row, 0, array.shape[0] - 1) * array.shape[1] + x);
    }
    return sum;
}

void fill(const TileCall& call) noexcept {
    if (call.phase == 0) {
        for (std::int64_t k = call.tile.begin[0]; k < call.tile.end[0]; ++k) {
            store(call.target.data, k, element(call.table.data(), k) + 7);
        }
        return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(call.program->as<std::int64_t>()));
    const std::byte* const numbers = call.workspaces[0].data;
    for (std::int64_t y = call.tile.begin[0]; y < call.tile.end[0]; ++y) {
        for (std::int64_t x = call.tile.begin[1]; x < call.tile.end[1]; ++x) {
            const std::int64_t value =
                call.phase == 1
                    ? column_sum(call.inputs[0], y, x, sum_halo) + element(numbers, x % number_count)
                    : column_sum(call.workspaces[1], y, x, output_halo) * element(numbers, y % number_count);
            store(call.target.data, y * call.target.shape[1] + x, value);
        }
    }
}

}  // namespace

Kernel test_phases_kernel() {
    return {describe, plan, fill, fill, band_reads};
}

}  // namespace slab::kernels
