#pragma once

#include "daemon/kernels/expression/syntax.hpp"

#include <string_view>

namespace slab::kernels::expression {

enum class TokenKind : std::uint8_t { end, name, number, symbol };

struct Token {
    TokenKind kind = TokenKind::end;
    std::size_t at = 0;
    std::string_view text;
    Literal literal{};  // number
};

// The token that begins at or after `at`, blanks skipped.
Expected<Token> next_token(std::string_view text, std::size_t at);

}  // namespace slab::kernels::expression
