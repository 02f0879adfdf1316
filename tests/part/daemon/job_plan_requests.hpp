#pragma once

#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/scheduling/job_planning.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

// Requests for plans, of kernels of this program and of two that only plan.
namespace slab::test {

using namespace slab::daemon;

inline constexpr std::int64_t page = 4096;
inline constexpr std::int64_t mib = std::int64_t{1} << 20;
inline constexpr std::int64_t everything = std::int64_t{1} << 60;

// A kernel with a halo and groups: the output is as the input, a row needs `halo` rows on both sides.
inline constexpr std::int64_t halo = 3;
inline constexpr std::int64_t group = 5;

inline const kernels::KernelDescription& describe_halo() {
    static const kernels::KernelDescription description{.name = "test_halo",
                                                        .summary = "",
                                                        .details = "",
                                                        .inputs = {{"input", "any"}},
                                                        .parameters = {},
                                                        .dtypes = "all",
                                                        .reads = kernels::Reads::window,
                                                        .example = ""};
    return description;
}

inline Expected<kernels::KernelPlan> plan_halo(const kernels::PlanRequest& request) {
    kernels::KernelPlan plan;
    plan.output = request.inputs[0];
    plan.band_step = group;
    return plan;
}

inline kernels::AxisRange halo_reads(const kernels::BandQuery& query) {
    return {std::max<std::int64_t>(0, query.rows.begin - halo),
            std::min(query.inputs[0][query.source_axis], query.rows.end + halo)};
}

inline const kernels::Kernel halo_kernel{describe_halo, plan_halo, nullptr, nullptr, halo_reads};
inline const kernels::Kernel kernel_without_bands{describe_halo, plan_halo, nullptr, nullptr, nullptr};

// A kernel that gathers: row n of its workspace is made of `gathered` rows of the input, its output of all of
// them.
inline constexpr std::int64_t gathered = 4;

inline Expected<kernels::KernelPlan> plan_sum(const kernels::PlanRequest& request) {
    const Shape& shape = request.inputs[0].shape;
    kernels::KernelPlan plan;
    plan.output = {DType::float64, {2}, MemoryOrder::c};
    plan.workspaces.push_back(
        {{DType::float64, {(shape[0] + gathered - 1) / gathered, 2}, MemoryOrder::c}, {}});
    plan.gathers = 0;
    plan.is_answer = true;
    return plan;
}

inline kernels::AxisRange sum_reads(const kernels::BandQuery& query) {
    return {query.rows.begin * gathered,
            std::min(query.inputs[0][query.source_axis], query.rows.end * gathered)};
}

inline const kernels::Kernel sum_kernel{describe_halo, plan_sum, nullptr, nullptr, sum_reads};

inline JobPlanRequest zoom_request(DType dtype, const Shape& shape, double factor,
                                   MemoryOrder order = MemoryOrder::c) {
    JobPlanRequest request{
        {{"zoom", kernels::find_kernel("zoom"), {}, {{}}}}, {{dtype, shape, order}}, 64 * 1024, {}};
    request.steps[0].parameters.set("factor", std::vector<double>{factor});
    request.steps[0].parameters.set("convention", std::string("round"));
    request.room.most_bytes = everything;
    return request;
}

inline JobPlanRequest halo_request(const Shape& shape) {
    return {{{"halo", &halo_kernel, {}, {{}}}},
            {{DType::uint16, shape, MemoryOrder::c}},
            64 * 1024,
            {everything, false, false}};
}

inline JobPlanRequest outer_request(DType dtype, std::int64_t rows, std::int64_t columns) {
    return {{{"outer", kernels::find_kernel("outer"), {}, {{.number = 0}, {.number = 1}}}},
            {{dtype, {rows}, MemoryOrder::c}, {dtype, {columns}, MemoryOrder::c}},
            64 * 1024,
            {everything, false, false}};
}

}  // namespace slab::test
