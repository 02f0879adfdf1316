#include "daemon/kernels/expression/syntax.hpp"

#include <algorithm>

namespace slab::kernels::expression {

std::string with_caret(std::string_view text, std::size_t at) {
    constexpr std::size_t before = 48;
    constexpr std::size_t most = 80;
    constexpr std::size_t margin = 9;  // "because: "
    at = std::min(at, text.size());
    const std::size_t begin = at > before ? at - before : 0;
    const std::size_t end = std::min(text.size(), begin + most);
    std::string shown = begin > 0 ? "..." : "";
    const std::size_t column = shown.size() + at - begin;
    for (const char letter : text.substr(begin, end - begin)) {
        shown += letter >= ' ' && letter <= '~' ? letter : '?';  // tabs and UTF-8 would move the caret
    }
    shown += end < text.size() ? "..." : "";
    return shown + "\n" + std::string(margin + column, ' ') + "^";
}

Error error_at(std::string_view text, std::size_t at, const std::string& what, std::string remedy) {
    return {ErrorKind::usage, "expression: " + what, with_caret(text, at), std::move(remedy)};
}

}  // namespace slab::kernels::expression
