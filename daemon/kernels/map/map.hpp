#pragma once

#include "daemon/kernels/expression/block_program.hpp"
#include "daemon/kernels/expression/iteration_space.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/streaming/store_mode.hpp"

namespace slab::kernels {

// An expression of one or more arrays, element by element.
Kernel map_kernel();

Expected<KernelPlan> plan_map(const PlanRequest& request);
AxisRange map_band_reads(const BandQuery& query);

// The plan's table.
struct MapTable {
    expression::IterationSpace space;
    expression::BlockProgram program;
};

// The definition, and the same by SIMD.
void fill_map_scalar(const TileCall& call) noexcept;
void fill_map_simd(const TileCall& call) noexcept;

// What is said of expressions by every kernel that has one.
std::string expression_details();

// Copies a run of bytes, past the cache if asked to.
void store_map_block(const std::byte* from, std::byte* to, std::size_t bytes, StoreMode mode);

}  // namespace slab::kernels
