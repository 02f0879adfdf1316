#include "daemon/kernels/expression/token.hpp"

#include <array>
#include <charconv>
#include <system_error>

namespace slab::kernels::expression {
namespace {

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}
bool is_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

std::unexpected<Error> bad_number(std::string_view text, std::size_t at) {
    return std::unexpected(
        error_at(text, at, "this is no number",
                 "Write numbers as 12, 0x1F, 1.5, 2e-3 or 1j; whole ones up to 2**64 - 1."));
}

Expected<Token> number_token(std::string_view text, std::size_t at) {
    const char* const begin = text.data() + at;
    const char* const end = text.data() + text.size();
    Token token{TokenKind::number, at, {}, {}};
    const char* after = begin;
    const bool is_hexadecimal = end - begin > 2 && begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X');
    if (is_hexadecimal) {
        const auto read = std::from_chars(begin + 2, end, token.literal.integer, 16);
        if (read.ec != std::errc{}) {
            return bad_number(text, at);
        }
        after = read.ptr;
    } else {
        while (after != end && is_digit(*after)) {
            ++after;
        }
        const bool is_whole = after == end || (*after != '.' && *after != 'e' && *after != 'E');
        const bool is_imaginary = is_whole && after != end && (*after == 'j' || *after == 'J');
        if (is_whole && !is_imaginary) {
            const auto read = std::from_chars(begin, end, token.literal.integer);
            if (read.ec != std::errc{} || (*begin == '0' && token.literal.integer != 0)) {
                return bad_number(text, at);
            }
        } else {
            token.literal.kind = Literal::Kind::real;
            const auto read = std::from_chars(begin, end, token.literal.real);
            if (read.ec != std::errc{}) {
                return bad_number(text, at);
            }
            after = read.ptr;
        }
        if (after != end && (*after == 'j' || *after == 'J')) {
            token.literal.kind = Literal::Kind::imaginary;
            ++after;
        }
    }
    if (after != end && (is_letter(*after) || is_digit(*after) || *after == '.')) {
        return bad_number(text, at);
    }
    token.text = text.substr(at, static_cast<std::size_t>(after - begin));
    return token;
}

}  // namespace

Expected<Token> next_token(std::string_view text, std::size_t at) {
    while (at < text.size() &&
           (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) {
        ++at;
    }
    if (at >= text.size()) {
        return Token{TokenKind::end, text.size(), {}, {}};
    }
    const char letter = text[at];
    if (is_digit(letter) || (letter == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) {
        return number_token(text, at);
    }
    if (is_letter(letter)) {
        std::size_t end = at + 1;
        while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]))) {
            ++end;
        }
        return Token{TokenKind::name, at, text.substr(at, end - at), {}};
    }
    static constexpr std::array<std::string_view, 22> symbols{
        "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+", "-", "*",
        "/",  "%",  "<",  ">",  "&",  "|",  "^",  "~",  "(", ")", ","};
    for (const std::string_view symbol : symbols) {
        if (text.substr(at, symbol.size()) == symbol) {
            return Token{TokenKind::symbol, at, text.substr(at, symbol.size()), {}};
        }
    }
    return std::unexpected(
        error_at(text, at, "this character means nothing here",
                 letter == '=' ? "Compare with ==; an expression assigns nothing."
                 : letter == '[' || letter == '.'
                     ? "There are no indices and no attributes: whole arrays are computed element by element."
                     : "Operators are + - * / // % ** < <= > >= == != & | ^ ~ << >>."));
}

}  // namespace slab::kernels::expression
