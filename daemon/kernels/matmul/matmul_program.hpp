#pragma once

#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

// Stacks of products C = A B of row-major matrices, m x k times k x n. A vector is a matrix of one row or one column, whose
// axis the output has not.
struct MatmulProgram {
    std::int64_t m = 0;
    std::int64_t n = 0;
    std::int64_t k = 0;
    // Which input is A. Of Fortran-ordered arrays kernels see the transposed ones: C' = B' A'.
    std::array<std::size_t, 2> input{0, 1};
    // The output's axes before the matrices', and how many elements of A and B lie between two indices (0: broadcast).
    int stack_rank = 0;
    std::array<std::array<std::int64_t, max_rank>, 2> stack_stride{};
    int row_axis = -1;  // of the output; -1: A is a vector
    int column_axis = -1;
    // The blocks of one product, on a grid from its first element. OpenBLAS rounds by a block's shape: each block is one
    // call over all of k, whatever the tiles are.
    std::int64_t block_rows = 1;
    std::int64_t block_columns = 1;
};

Expected<KernelPlan> plan_matmul(const PlanRequest& request);
AxisRange matmul_reads(const BandQuery& query);

// The definition: the sum of k products, in order.
void fill_matmul_scalar(const TileCall& call) noexcept;
void fill_matmul_by_blocks(const TileCall& call) noexcept;

}  // namespace slab::kernels
