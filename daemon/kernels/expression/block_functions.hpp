#pragma once

#include "daemon/kernels/expression/block_program.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::kernels::expression {

// One instruction over a block: reads `count` elements of each operand, writes as many. Operands may lie at any address
// and overlap each other; the result overlaps none.
using BlockFunction = void (*)(std::byte* to, const std::byte* const* from, std::int64_t count);

// Null where numpy has no such operation of the dtype; typing never asks for it.
class BlockFunctions {
  public:
    BlockFunction& of(Operation operation, DType type) {
        return functions_[static_cast<std::size_t>(operation)][static_cast<std::size_t>(type)];
    }
    BlockFunction& cast(DType from, DType to) {
        return casts_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    }
    BlockFunction find(const Instruction& instruction) const {
        const auto type = static_cast<std::size_t>(instruction.type);
        return instruction.operation == Operation::cast
                   ? casts_[type][static_cast<std::size_t>(instruction.result_type)]
                   : functions_[static_cast<std::size_t>(instruction.operation)][type];
    }

  private:
    std::array<std::array<BlockFunction, dtype_count>, operation_count> functions_{};
    std::array<std::array<BlockFunction, dtype_count>, dtype_count> casts_{};
};

// Loops that take longer than memory takes to bring their elements ask for those so far ahead, or memory would rest
// meanwhile. Of an array that is what the next blocks will read; beyond its end, or of a register, it does nothing.
inline constexpr std::int64_t slow_loop_ahead_bytes = 6144;

// The definition, compiled for the portable baseline.
const BlockFunctions& scalar_functions();

// The best of this machine: those of the definition that gain nothing by vectors, and these.
const BlockFunctions& simd_functions();
void add_element_operations(BlockFunctions& functions);
void add_square_root(BlockFunctions& functions);
void add_exponentials(BlockFunctions& functions);
void add_trigonometry(BlockFunctions& functions);

}  // namespace slab::kernels::expression
