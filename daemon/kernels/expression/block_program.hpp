#pragma once

#include "common/array/dtype.hpp"
#include "daemon/kernels/expression/operation.hpp"
#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::kernels::expression {

inline constexpr int most_nodes = 256;
inline constexpr int most_operands = 3;

struct Operand {
    enum class Place : std::uint8_t { input, constant, reg };
    Place place = Place::input;
    std::uint8_t index = 0;
    bool operator==(const Operand&) const = default;
};

struct Instruction {
    Operation operation = Operation::copy;
    DType type = DType::uint8;
    DType result_type = DType::uint8;
    std::uint8_t operand_count = 0;
    std::uint8_t to = 0;  // a register, none of its operands
    std::array<Operand, most_operands> operands{};
};

struct Constant {
    DType type = DType::uint8;
    alignas(16) std::array<std::byte, 16> element{};
};

// An expression made flat: instructions over blocks of elements, each of which reads whole arrays, constants (which are
// spread over a block once for each tile) and registers, and writes one register. Plain data, which travels in the
// plan's table.
struct BlockProgram {
    std::int32_t input_count = 0;
    std::int32_t constant_count = 0;
    std::int32_t register_count = 0;
    std::int32_t instruction_count = 0;
    std::int32_t block_elements = 0;
    DType result_type = DType::uint8;
    Operand result{};
    std::array<DType, most_inputs> input_types{};
    std::array<Constant, most_nodes> constants{};
    std::array<std::uint8_t, most_nodes> register_bytes{};  // of an element
    std::array<Instruction, most_nodes> instructions{};
};
static_assert(std::is_trivially_copyable_v<BlockProgram>);

}  // namespace slab::kernels::expression
