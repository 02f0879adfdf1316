#pragma once

#include "daemon/kernels/expression/block_program.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace slab::kernels::fold {

// What a sum adds up without that it is written down first: the last one or two instructions of a program of doubles. The
// values are the same, rounded after each operation; a pass over the first cache less.
enum class TailTerm : std::uint8_t { product, sum, sum_with_product };  // x y, x + y, x + y z
inline constexpr std::size_t tail_terms = 3;
constexpr std::size_t operand_count(TailTerm term) {
    return term == TailTerm::sum_with_product ? 3 : 2;
}

struct FusedTail {
    TailTerm term = TailTerm::product;
    int instructions = 0;  // that it stands for
    std::array<expression::Operand, expression::most_operands> operands{};
    int first_read = -1;  // the operand that no earlier instruction reads: memory has to bring it. -1: none
};

// Nothing where the program ends otherwise.
std::optional<FusedTail> fused_tail(const expression::BlockProgram& program);

}  // namespace slab::kernels::fold
