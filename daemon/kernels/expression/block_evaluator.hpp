#pragma once

#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/block_program.hpp"
#include "daemon/kernels/expression/input_blocks.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace slab::kernels::expression {

// Runs a program over blocks of the iteration space, within one call of a kernel. Registers, spread constants and
// repeated inputs lie in the given scratch; inputs that are contiguous are read where they are.
class BlockEvaluator {
  public:
    BlockEvaluator(const BlockProgram& program, const BlockFunctions& functions, const IterationSpace& space,
                   std::span<const ConstArrayView> inputs, std::span<std::byte> scratch);
    BlockEvaluator(const BlockEvaluator&) = delete;
    BlockEvaluator& operator=(const BlockEvaluator&) = delete;

    // Of elements [first, first + count) of the space in C order, at most block_elements. Valid until the next call. With
    // `maybe_to` the last instruction may write there; a result that is an input or a constant is not copied.
    const std::byte* evaluate(std::int64_t first, std::int64_t count, std::byte* maybe_to = nullptr);

    // All but the last instructions, `left_out` of them, whose operands then lie in their places.
    void evaluate_without(int left_out, std::int64_t first, std::int64_t count);
    const std::byte* place_of(const Operand& operand) const;

    // What will be evaluated next: brought toward the cache while this block is computed.
    void expect(std::int64_t first, std::int64_t count) const;

    std::int64_t block_elements() const { return program_.block_elements; }

    // What is left of the scratch.
    std::span<std::byte> rest() const { return rest_; }

    // Scratch that the program takes at the most, staged inputs included: at most 512 KiB of any program.
    static std::int64_t scratch_bytes_of(const BlockProgram& program);

  private:
    std::byte* take(std::int64_t bytes);
    void find_inputs(std::int64_t first, std::int64_t count);
    void execute(std::size_t instruction, std::byte* to, std::int64_t count);

    const BlockProgram& program_;
    std::span<std::byte> rest_;
    std::array<BlockFunction, most_nodes> functions_{};
    std::array<std::byte*, most_nodes> registers_{};
    std::array<std::byte*, most_nodes> constants_{};
    std::array<InputBlocks, most_inputs> inputs_{};
    std::array<std::byte*, most_inputs> staging_{};
    std::array<const std::byte*, most_inputs> input_places_{};
    std::array<std::size_t, most_inputs> used_inputs_{};
    int used_count_ = 0;
};

}  // namespace slab::kernels::expression
