#include "daemon/kernels/expression/block_evaluator.hpp"

namespace slab::kernels::expression {
namespace {

constexpr std::int64_t alignment = 64;

std::int64_t aligned(std::int64_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

bool uses_input(const BlockProgram& program, std::size_t input) {
    const Operand wanted{Operand::Place::input, static_cast<std::uint8_t>(input)};
    bool uses = program.result == wanted;
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.instruction_count); ++i) {
        const Instruction& instruction = program.instructions[i];
        for (std::size_t k = 0; k < instruction.operand_count; ++k) {
            uses = uses || instruction.operands[k] == wanted;
        }
    }
    return uses;
}

}  // namespace

BlockEvaluator::BlockEvaluator(const BlockProgram& program, const BlockFunctions& functions,
                               const IterationSpace& space, std::span<const ConstArrayView> inputs,
                               std::span<std::byte> scratch)
    : program_(program), rest_(scratch) {
    const std::int64_t elements = program.block_elements;
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.register_count); ++i) {
        registers_[i] = take(elements * program.register_bytes[i]);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.constant_count); ++i) {
        const auto bytes = static_cast<std::int64_t>(size_of(program.constants[i].type));
        constants_[i] = take(elements * bytes);
        spread_element(program.constants[i].element.data(), bytes, constants_[i], elements);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!uses_input(program, i)) {
            continue;
        }
        inputs_[i] = InputBlocks(space, i, inputs[i]);
        staging_[i] = inputs_[i].needs_staging()
                          ? take(elements * static_cast<std::int64_t>(size_of(inputs[i].dtype)))
                          : nullptr;
        used_inputs_[static_cast<std::size_t>(used_count_++)] = i;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.instruction_count); ++i) {
        functions_[i] = functions.find(program.instructions[i]);
    }
}

std::byte* BlockEvaluator::take(std::int64_t bytes) {
    std::byte* const place = rest_.data();
    rest_ = rest_.subspan(static_cast<std::size_t>(aligned(bytes)));
    return place;
}

const std::byte* BlockEvaluator::place_of(const Operand& operand) const {
    switch (operand.place) {
    case Operand::Place::input: return input_places_[operand.index];
    case Operand::Place::constant: return constants_[operand.index];
    case Operand::Place::reg: break;
    }
    return registers_[operand.index];
}

void BlockEvaluator::find_inputs(std::int64_t first, std::int64_t count) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(used_count_); ++i) {
        const std::size_t input = used_inputs_[i];
        input_places_[input] = inputs_[input].block(first, count, staging_[input]);
    }
}

void BlockEvaluator::execute(std::size_t number, std::byte* to, std::int64_t count) {
    const Instruction& instruction = program_.instructions[number];
    std::array<const std::byte*, most_operands> from{};
    for (std::size_t k = 0; k < instruction.operand_count; ++k) {
        from[k] = place_of(instruction.operands[k]);
    }
    functions_[number](to, from.data(), count);
}

const std::byte* BlockEvaluator::evaluate(std::int64_t first, std::int64_t count, std::byte* maybe_to) {
    const auto instructions = static_cast<std::size_t>(program_.instruction_count);
    const bool may_write =
        maybe_to != nullptr && instructions > 0 &&
        program_.result == Operand{Operand::Place::reg, program_.instructions[instructions - 1].to};
    if (!may_write) {
        evaluate_without(0, first, count);
        return place_of(program_.result);
    }
    evaluate_without(1, first, count);
    execute(instructions - 1, maybe_to, count);
    return maybe_to;
}

void BlockEvaluator::evaluate_without(int left_out, std::int64_t first, std::int64_t count) {
    find_inputs(first, count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(program_.instruction_count - left_out); ++i) {
        execute(i, registers_[program_.instructions[i].to], count);
    }
}

void BlockEvaluator::expect(std::int64_t first, std::int64_t count) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(used_count_); ++i) {
        inputs_[used_inputs_[i]].expect(first, count);
    }
}

std::int64_t BlockEvaluator::scratch_bytes_of(const BlockProgram& program) {
    std::int64_t bytes = 0;
    const auto add = [&](std::int64_t element_bytes) {
        bytes += aligned(program.block_elements * element_bytes);
    };
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.register_count); ++i) {
        add(program.register_bytes[i]);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.constant_count); ++i) {
        add(static_cast<std::int64_t>(size_of(program.constants[i].type)));
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.input_count); ++i) {
        add(static_cast<std::int64_t>(size_of(program.input_types[i])));
    }
    return bytes;
}

}  // namespace slab::kernels::expression
