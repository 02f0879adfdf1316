#include "daemon/kernels/expression/program_writer.hpp"

#include "daemon/kernels/expression/block_functions.hpp"

#include <algorithm>
#include <array>

namespace slab::kernels::expression {

using Place = Operand::Place;

ProgramWriter::ProgramWriter(std::span<const DType> inputs) {
    program_.input_count = static_cast<std::int32_t>(inputs.size());
    std::ranges::copy(inputs, program_.input_types.begin());
}

Typed ProgramWriter::input(int number) const {
    return {program_.input_types[static_cast<std::size_t>(number)],
            {Place::input, static_cast<std::uint8_t>(number)}};
}

Typed ProgramWriter::constant(const Constant& constant) {
    const auto known = std::ranges::find_if(
        program_.constants.begin(), program_.constants.begin() + program_.constant_count,
        [&](const Constant& one) { return one.type == constant.type && one.element == constant.element; });
    const auto index = known - program_.constants.begin();
    if (index == most_nodes) {
        is_overfull_ = true;
        return {};
    }
    if (index == program_.constant_count) {
        program_.constants[static_cast<std::size_t>(program_.constant_count++)] = constant;
    }
    return {constant.type, {Place::constant, static_cast<std::uint8_t>(index)}};
}

Typed ProgramWriter::emit(Operation operation, DType type, DType result, std::span<const Typed> operands) {
    if (is_overfull_) {
        return {};
    }
    Instruction instruction{operation, type, result, static_cast<std::uint8_t>(operands.size()), 0, {}};
    for (std::size_t i = 0; i < operands.size(); ++i) {
        instruction.operands[i] = operands[i].operand;
    }
    if (std::ranges::all_of(operands, &Typed::is_scalar)) {
        Constant folded{result, {}};
        std::array<const std::byte*, most_operands> from{};
        for (std::size_t i = 0; i < operands.size(); ++i) {
            from[i] = constant_at(operands[i]).element.data();
        }
        scalar_functions().find(instruction)(folded.element.data(), from.data(), 1);
        return constant(folded);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(program_.instruction_count); ++i) {
        const Instruction& known = program_.instructions[i];
        if (known.operation == operation && known.type == type && known.result_type == result &&
            known.operands == instruction.operands) {
            return {result, {Place::reg, known.to}};
        }
    }
    if (program_.instruction_count == most_nodes) {
        is_overfull_ = true;
        return {};
    }
    instruction.to = static_cast<std::uint8_t>(program_.instruction_count);
    program_.instructions[static_cast<std::size_t>(program_.instruction_count++)] = instruction;
    return {result, {Place::reg, instruction.to}};
}

Typed ProgramWriter::cast(const Typed& operand, DType type) {
    if (operand.type == type) {
        return operand;
    }
    Typed value = emit(Operation::cast, operand.type, type, {&operand, 1});
    value.is_python = operand.is_python;
    return value;
}

BlockProgram ProgramWriter::finish(const Typed& result) {
    BlockProgram program = program_;
    program.result = result.operand;
    program.result_type = result.type;
    std::array<int, most_nodes> places{};
    places.fill(-1);
    program.constants = {};
    program.constant_count = 0;
    const auto keep = [&](Operand& operand) {
        if (operand.place == Place::constant) {
            int& place = places[operand.index];
            if (place < 0) {
                place = program.constant_count++;
                program.constants[static_cast<std::size_t>(place)] = program_.constants[operand.index];
            }
            operand.index = static_cast<std::uint8_t>(place);
        }
    };
    for (std::size_t i = 0; i < static_cast<std::size_t>(program.instruction_count); ++i) {
        for (std::size_t k = 0; k < program.instructions[i].operand_count; ++k) {
            keep(program.instructions[i].operands[k]);
        }
    }
    keep(program.result);
    return program;
}

}  // namespace slab::kernels::expression
