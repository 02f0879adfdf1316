#pragma once

#include "daemon/kernels/expression/block_program.hpp"

#include <cstring>
#include <span>

namespace slab::kernels::expression {

// A value in a program: where it is and of which type. `is_python`: made of literals only, so that Python computes it.
struct Typed {
    DType type = DType::uint8;
    Operand operand{};
    bool is_python = false;

    bool is_scalar() const { return operand.place == Operand::Place::constant; }
};

template <typename T>
Constant constant_of(DType type, T value) {
    Constant constant{type, {}};
    std::memcpy(constant.element.data(), &value, sizeof(T));
    return constant;
}

// Writes a program, a register for each instruction. Of constants alone no instruction comes: they are computed at once.
// What is written twice is there once.
class ProgramWriter {
  public:
    explicit ProgramWriter(std::span<const DType> inputs);

    Typed input(int number) const;
    Typed constant(const Constant& constant);
    Typed emit(Operation operation, DType type, DType result, std::span<const Typed> operands);
    Typed cast(const Typed& operand, DType type);

    const Constant& constant_at(const Typed& scalar) const {
        return program_.constants[scalar.operand.index];
    }

    template <typename T>
    T element_of(const Typed& scalar) const {
        T value;
        std::memcpy(&value, constant_at(scalar).element.data(), sizeof(T));
        return value;
    }

    // More instructions or constants than a program has room for: it is no program.
    bool is_overfull() const { return is_overfull_; }

    // With this result; constants that were folded away take no room.
    BlockProgram finish(const Typed& result);

  private:
    BlockProgram program_;
    bool is_overfull_ = false;
};

}  // namespace slab::kernels::expression
