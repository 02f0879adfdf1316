#pragma once

#include "daemon/kernels/expression/block_program.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace slab::kernels::fold {

// What a sum adds up without that it is written down first: the last one or two instructions of a program of doubles. The
// values are the same, rounded after each operation; a pass over the first cache less.
enum class TailTerm : std::uint8_t { product, sum, sum_with_product };  // x y, x + y, x + y z
inline constexpr std::size_t tail_terms = 3;

struct FusedTail {
    TailTerm term = TailTerm::product;
    int instructions = 0;  // that it stands for
    std::array<expression::Operand, expression::most_operands> operands{};
};

// Nothing where the program ends otherwise.
std::optional<FusedTail> fused_tail(const expression::BlockProgram& program);

}  // namespace slab::kernels::fold
