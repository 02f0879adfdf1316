#include "daemon/kernels/fold/fused_tail.hpp"

#include <algorithm>
#include <span>

namespace slab::kernels::fold {
namespace {

using expression::BlockProgram;
using expression::Instruction;
using expression::Operand;
using expression::Operation;

// From the end: 1 is the last one. Null: there is none, or it is not of doubles.
const Instruction* of_doubles(const BlockProgram& program, int from_end, Operation operation) {
    if (program.instruction_count < from_end) {
        return nullptr;
    }
    const Instruction& one =
        program.instructions[static_cast<std::size_t>(program.instruction_count - from_end)];
    const bool is_it =
        one.operation == operation && one.type == DType::float64 && one.result_type == DType::float64;
    return is_it ? &one : nullptr;
}

int first_read(const BlockProgram& program, const FusedTail& tail) {
    const auto earlier = std::span(program.instructions)
                             .first(static_cast<std::size_t>(program.instruction_count - tail.instructions));
    for (std::size_t k = 0; k < operand_count(tail.term); ++k) {
        const Operand& operand = tail.operands[k];
        const auto reads = [&operand](const Instruction& one) {
            const auto operands = std::span(one.operands).first(one.operand_count);
            return std::ranges::find(operands, operand) != operands.end();
        };
        if (operand.place == Operand::Place::input && std::ranges::none_of(earlier, reads)) {
            return static_cast<int>(k);
        }
    }
    return -1;
}

FusedTail tail_of(const BlockProgram& program, TailTerm term, int instructions,
                  const std::array<Operand, expression::most_operands>& operands) {
    FusedTail tail{term, instructions, operands};
    tail.first_read = first_read(program, tail);
    return tail;
}

}  // namespace

std::optional<FusedTail> fused_tail(const BlockProgram& program) {
    const Instruction* const sum = of_doubles(program, 1, Operation::add);
    const Instruction* const product = of_doubles(program, 1, Operation::multiply);
    const Instruction* const last = sum != nullptr ? sum : product;
    if (last == nullptr || program.result != Operand{Operand::Place::reg, last->to}) {
        return std::nullopt;
    }
    if (const Instruction* const before = of_doubles(program, 2, Operation::multiply);
        sum != nullptr && before != nullptr) {
        const Operand of_before{Operand::Place::reg, before->to};
        const bool is_left = sum->operands[0] == of_before;
        const bool is_right = sum->operands[1] == of_before;
        if (is_left != is_right) {
            return tail_of(program, TailTerm::sum_with_product, 2,
                           {sum->operands[is_left ? 1 : 0], before->operands[0], before->operands[1]});
        }
    }
    return tail_of(program, sum != nullptr ? TailTerm::sum : TailTerm::product, 1,
                   {last->operands[0], last->operands[1]});
}

}  // namespace slab::kernels::fold
