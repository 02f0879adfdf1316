#include "daemon/kernels/expression/compile.hpp"

#include <algorithm>

namespace slab::kernels::expression {
namespace {

// Registers and spread constants of a block stay in the first-level cache beside the inputs' and the output's blocks.
constexpr std::int64_t preferred_bytes = 24 * 1024;
constexpr std::int64_t least_elements = 64;
constexpr std::int64_t most_elements = 2048;

}  // namespace

void allocate_registers(BlockProgram& program) {
    std::array<int, most_nodes> last_use{};
    for (int i = 0; i < program.instruction_count; ++i) {
        const Instruction& instruction = program.instructions[static_cast<std::size_t>(i)];
        for (std::size_t k = 0; k < instruction.operand_count; ++k) {
            if (instruction.operands[k].place == Operand::Place::reg) {
                last_use[instruction.operands[k].index] = i;
            }
        }
    }
    if (program.result.place == Operand::Place::reg) {
        last_use[program.result.index] = most_nodes;
    }
    std::array<std::uint8_t, most_nodes> renamed{};
    std::array<int, most_nodes> free_after{};
    program.register_count = 0;
    for (int i = 0; i < program.instruction_count; ++i) {
        Instruction& instruction = program.instructions[static_cast<std::size_t>(i)];
        for (std::size_t k = 0; k < instruction.operand_count; ++k) {
            if (instruction.operands[k].place == Operand::Place::reg) {
                instruction.operands[k].index = renamed[instruction.operands[k].index];
            }
        }
        const auto bytes = static_cast<std::uint8_t>(size_of(instruction.result_type));
        int chosen = 0;
        while (chosen < program.register_count &&
               (program.register_bytes[static_cast<std::size_t>(chosen)] != bytes ||
                free_after[static_cast<std::size_t>(chosen)] >= i)) {
            ++chosen;
        }
        program.register_count = std::max(program.register_count, chosen + 1);
        program.register_bytes[static_cast<std::size_t>(chosen)] = bytes;
        free_after[static_cast<std::size_t>(chosen)] = std::max(i, last_use[instruction.to]);
        renamed[instruction.to] = static_cast<std::uint8_t>(chosen);
        instruction.to = static_cast<std::uint8_t>(chosen);
    }
    if (program.result.place == Operand::Place::reg) {
        program.result.index = renamed[program.result.index];
    }
    std::int64_t bytes = 0;
    for (int i = 0; i < program.register_count; ++i) {
        bytes += program.register_bytes[static_cast<std::size_t>(i)];
    }
    for (int i = 0; i < program.constant_count; ++i) {
        bytes += static_cast<std::int64_t>(size_of(program.constants[static_cast<std::size_t>(i)].type));
    }
    const std::int64_t elements = preferred_bytes / std::max<std::int64_t>(bytes, 1);
    program.block_elements = static_cast<std::int32_t>(std::clamp(elements, least_elements, most_elements) /
                                                       least_elements * least_elements);
}

}  // namespace slab::kernels::expression
