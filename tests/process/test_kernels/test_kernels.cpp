#include "tests/process/test_kernels/test_kernels.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <unistd.h>

namespace slab::kernels {
namespace {

struct CopyProgram {
    std::int64_t number = 0;  // the element to go wrong at, or milliseconds
};

KernelDescription describe(std::string name, std::string parameter) {
    return {
        .name = std::move(name),
        .summary = "test kernel: a copy",
        .details = "For the tests of the daemon only.",
        .inputs = {{"a", "any"}},
        .parameters = {{std::move(parameter), ParameterType::integer, "where or how long", ">= 0", {}, "0"}},
        .dtypes = "all",
        .reads = Reads::point,
        .example = "",
    };
}

Expected<KernelPlan> plan_with(const PlanRequest& request, std::string_view parameter) {
    KernelPlan plan;
    plan.output = request.inputs.front();
    plan.program = Program(CopyProgram{*request.parameters.get<std::int64_t>(parameter)});
    return plan;
}

enum class Half { first, second };

// Copies the tile's rows [begin, middle) or [middle, end) along the slowest axis.
void copy_half(const TileCall& call, Half half) noexcept {
    const Box& tile = call.tile;
    const auto element = static_cast<std::int64_t>(size_of(call.target.dtype));
    std::array<std::int64_t, max_rank> at = tile.begin;
    const std::int64_t middle = (tile.begin[0] + tile.end[0]) / 2;
    const std::int64_t begin = half == Half::first ? tile.begin[0] : middle;
    const std::int64_t end = half == Half::first ? middle : tile.end[0];
    const auto last = static_cast<std::size_t>(tile.rank - 1);
    if (begin >= end) {
        return;
    }
    at[0] = begin;
    for (;;) {
        std::int64_t offset = 0;
        for (std::size_t axis = 0; axis <= last; ++axis) {
            offset = offset * call.target.shape.extents[axis] + at[axis];
        }
        const std::int64_t run = last == 0 ? end - begin : tile.end[last] - tile.begin[last];
        std::memcpy(call.target.data + offset * element, call.inputs.front().data + offset * element,
                    static_cast<std::size_t>(run * element));
        std::size_t axis = last;
        for (;;) {
            if (axis == 0) {
                return;
            }
            --axis;
            if (++at[axis] < (axis == 0 ? end : tile.end[axis])) {
                break;
            }
            at[axis] = axis == 0 ? begin : tile.begin[axis];
        }
    }
}

bool holds_element(const TileCall& call) {
    std::int64_t number = call.program->as<CopyProgram>().number;
    for (auto axis = static_cast<std::size_t>(call.tile.rank); axis-- > 0;) {
        const std::int64_t index = number % call.target.shape.extents[axis];
        number /= call.target.shape.extents[axis];
        if (index < call.tile.begin[axis] || index >= call.tile.end[axis]) {
            return false;
        }
    }
    return number == 0;
}

void crash(const TileCall& call) noexcept {
    copy_half(call, Half::first);
    if (holds_element(call)) {
        ::raise(SIGSEGV);
    }
    copy_half(call, Half::second);
}

void hang(const TileCall& call) noexcept {
    copy_half(call, Half::first);
    while (holds_element(call)) {
        ::pause();
    }
    copy_half(call, Half::second);
}

void slow(const TileCall& call) noexcept {
    copy_half(call, Half::first);
    std::this_thread::sleep_for(std::chrono::milliseconds(call.program->as<CopyProgram>().number));
    copy_half(call, Half::second);
}

const KernelDescription& describe_crash() {
    static const KernelDescription description = describe("test_crash", "tile");
    return description;
}

const KernelDescription& describe_hang() {
    static const KernelDescription description = describe("test_hang", "tile");
    return description;
}

const KernelDescription& describe_slow() {
    static const KernelDescription description = describe("test_slow", "milliseconds");
    return description;
}

Expected<KernelPlan> plan_place(const PlanRequest& request) {
    return plan_with(request, "tile");
}
Expected<KernelPlan> plan_time(const PlanRequest& request) {
    return plan_with(request, "milliseconds");
}

AxisRange band_reads(const BandQuery& query) {
    return query.rows;
}

// The output: rows, columns, the sum of number times its place (from 1 on), the last number, the flag.
struct TableProgram {
    std::array<double, 5> facts{};
};

const KernelDescription& describe_table() {
    static const KernelDescription description{
        .name = "test_table",
        .summary = "test kernel: tells of a table",
        .details = "For the tests of the daemon only.",
        .inputs = {{"a", "any"}},
        .parameters = {{"transforms", ParameterType::table, "rows", "finite", {}, "1,0;0,1"},
                       {"offset", ParameterType::table, "one row", "", {}, ""},
                       {"antialias", ParameterType::flag, "told", "", {}, ""}},
        .dtypes = "all",
        .reads = Reads::anywhere,
        .example = "slab run test_table in.npy -o out.npy --transforms rp.txt --antialias",
    };
    return description;
}

Expected<KernelPlan> plan_table(const PlanRequest& request) {
    const Table& table = *request.parameters.get<Table>("transforms");
    double sum = 0;
    for (std::size_t i = 0; i < table.values.size(); ++i) {
        sum += static_cast<double>(i + 1) * table.values[i];
    }
    const TableProgram program{{static_cast<double>(table.rows), static_cast<double>(table.columns), sum,
                                table.values.back(), *request.parameters.get<bool>("antialias") ? 1.0 : 0.0}};
    KernelPlan plan;
    plan.output = {DType::float64, {static_cast<std::int64_t>(program.facts.size())}, MemoryOrder::c};
    plan.program = Program(program);
    return plan;
}

void tell(const TileCall& call) noexcept {
    const auto program = call.program->as<TableProgram>();
    for (std::int64_t i = call.tile.begin[0]; i < call.tile.end[0]; ++i) {
        const double fact = program.facts[static_cast<std::size_t>(i)];
        std::memcpy(call.target.data + i * static_cast<std::int64_t>(sizeof(fact)), &fact, sizeof(fact));
    }
}

}  // namespace

Kernel test_crash_kernel() {
    return {describe_crash, plan_place, crash, crash, band_reads};
}
Kernel test_hang_kernel() {
    return {describe_hang, plan_place, hang, hang, band_reads};
}
Kernel test_slow_kernel() {
    return {describe_slow, plan_time, slow, slow, band_reads};
}

Kernel test_table_kernel() {
    return {describe_table, plan_table, tell, tell};
}

}  // namespace slab::kernels
