#pragma once

#include "common/errors/error.hpp"
#include "daemon/kernels/expression/block_program.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels::expression {

enum class NodeKind : std::uint8_t { input, literal, unary, binary, call };

// A literal as Python reads it. Whole numbers up to 2^64 - 1; larger ones are refused.
struct Literal {
    enum class Kind : std::uint8_t { boolean, integer, real, imaginary };
    Kind kind = Kind::integer;
    std::uint64_t integer = 0;
    double real = 0.0;
};

struct Node {
    NodeKind kind = NodeKind::literal;
    std::size_t at = 0;     // byte of the text that an error points to
    std::string_view word;  // unary, binary: the operator; call: the function
    int input = 0;
    Literal literal{};
    std::array<int, most_operands> operands{};  // indices of nodes before this one
    int operand_count = 0;
};

// A tree whose children come before their parents; the last node is the whole expression. The words are views of the
// text.
using Tree = std::vector<Node>;

// The grammar is Python's for expressions of one value: arithmetic, comparisons, bit operations, calls. Inputs are named
// a, b, c, ...; as many as there are. At most 256 nodes, parentheses and operators nested at most 64 deep: bounded work
// whatever the text. Errors of kind usage show the place.
Expected<Tree> parse(std::string_view text, int inputs);

// The text with a caret under the place, for `because`; a long text is cut around it.
std::string with_caret(std::string_view text, std::size_t at);

Error error_at(std::string_view text, std::size_t at, const std::string& what, std::string remedy);

inline constexpr int most_depth = 64;

}  // namespace slab::kernels::expression
