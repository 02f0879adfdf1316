#include "daemon/kernels/expression/syntax.hpp"
#include "daemon/kernels/expression/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <numbers>
#include <optional>

namespace slab::kernels::expression {
namespace {

// Python's precedences, the loosest first; ** is apart: it binds tighter than the signs before it.
struct Precedence {
    std::string_view symbol;
    int level;
};
constexpr Precedence precedences[] = {
    {"<", 0},  {"<=", 0}, {">", 0}, {">=", 0}, {"==", 0}, {"!=", 0}, {"|", 1},  {"^", 2}, {"&", 3},
    {"<<", 4}, {">>", 4}, {"+", 5}, {"-", 5},  {"*", 6},  {"/", 6},  {"//", 6}, {"%", 6},
};

// Negative: it stands between no two operands.
int precedence_of(std::string_view symbol) {
    const auto* const found = std::ranges::find(precedences, symbol, &Precedence::symbol);
    return found == std::end(precedences) ? -1 : found->level;
}

std::optional<Literal> named_constant(std::string_view name) {
    const auto real = [](double value) { return Literal{Literal::Kind::real, 0, value}; };
    if (name == "pi") {
        return real(std::numbers::pi);
    }
    if (name == "e") {
        return real(std::numbers::e);
    }
    if (name == "inf") {
        return real(std::numeric_limits<double>::infinity());
    }
    if (name == "nan") {
        return real(std::numeric_limits<double>::quiet_NaN());
    }
    if (name == "True" || name == "False") {
        return Literal{Literal::Kind::boolean, name == "True" ? 1U : 0U, 0.0};
    }
    return std::nullopt;
}

// Recursive descent. Every recursion goes through unary(), whose Nesting bounds it.
class Parser {
  public:
    Parser(std::string_view text, int inputs) : text_(text), inputs_(inputs) {}

    Expected<Tree> parse() {
        advance();
        binary(0);
        if (!error_ && token_.kind != TokenKind::end) {
            refuse_word("this is not expected here");
        }
        return error_ ? Expected<Tree>(std::unexpected(*error_)) : Expected<Tree>(std::move(tree_));
    }

  private:
    class Nesting {
      public:
        explicit Nesting(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > most_depth) {
                parser_.refuse(fmt::format("this is nested more than {} deep", most_depth),
                               "Write it in several steps: the output of one is the input of the next.");
            }
        }
        ~Nesting() { --parser_.depth_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

      private:
        Parser& parser_;
    };

    // After an error nothing is parsed any more: the token is the end.
    void refuse(const std::string& what, std::string remedy) {
        if (!error_) {
            error_ = error_at(text_, token_.at, what, std::move(remedy));
        }
        token_ = {TokenKind::end, text_.size(), {}, {}};
    }

    void refuse_word(const std::string& what) {
        if (token_.text == "and" || token_.text == "or" || token_.text == "not") {
            refuse(fmt::format("'{}' does not work on arrays", token_.text),
                   "Write & | ~ with parentheses around comparisons: (a > 0) & (a < 9).");
        } else if (token_.text == "if" || token_.text == "else") {
            refuse("an expression has no 'if'", "Write where(condition, value, other).");
        } else if (token_.kind == TokenKind::end) {
            refuse("it ends too early", "Finish the expression.");
        } else {
            refuse(what, "See the grammar: slab kernels map");
        }
    }

    void advance() {
        if (error_) {
            return;
        }
        auto token = next_token(text_, token_.at + token_.text.size());
        if (token) {
            token_ = *token;
        } else {
            error_ = token.error();
            token_ = {TokenKind::end, text_.size(), {}, {}};
        }
    }

    bool is(std::string_view symbol) const {
        return token_.kind == TokenKind::symbol && token_.text == symbol;
    }

    int add(Node node) {
        if (tree_.size() == most_nodes) {
            refuse(fmt::format("it has more than {} parts", most_nodes),
                   "Write it in several steps: the output of one is the input of the next.");
            return 0;
        }
        tree_.push_back(node);
        return static_cast<int>(tree_.size()) - 1;
    }

    int binary(int level) {
        int left = unary();
        bool was_compared = false;
        while (!error_ && token_.kind == TokenKind::symbol) {
            const int found = precedence_of(token_.text);
            if (found < level) {
                break;
            }
            if (found == 0 && was_compared) {
                refuse("comparisons cannot be chained",
                       "As in numpy the truth of an array is not one value: write (a < b) & (b < c).");
                break;
            }
            was_compared = found == 0;
            Node node{NodeKind::binary, token_.at, token_.text, 0, {}, {}, 2};
            advance();
            node.operands = {left, binary(found + 1), 0};
            left = add(node);
        }
        return left;
    }

    int unary() {
        const Nesting nesting(*this);
        if (error_) {
            return 0;
        }
        if (is("-") || is("+") || is("~")) {
            Node node{NodeKind::unary, token_.at, token_.text, 0, {}, {}, 1};
            advance();
            node.operands = {unary(), 0, 0};
            return add(node);
        }
        const int base = primary();
        if (is("**")) {
            Node node{NodeKind::binary, token_.at, token_.text, 0, {}, {}, 2};
            advance();
            node.operands = {base, unary(), 0};
            return add(node);
        }
        return base;
    }

    int primary() {
        if (token_.kind == TokenKind::number) {
            const Node node{NodeKind::literal, token_.at, token_.text, 0, token_.literal, {}, 0};
            advance();
            return add(node);
        }
        if (is("(")) {
            advance();
            const int inner = binary(0);
            close();
            return inner;
        }
        if (token_.kind != TokenKind::name || token_.text == "and" || token_.text == "or" ||
            token_.text == "not" || token_.text == "if" || token_.text == "else") {
            refuse_word("a value is missing here");
            return 0;
        }
        const Token name = token_;
        advance();
        return is("(") ? call(name) : named(name);
    }

    int call(const Token& name) {
        Node node{NodeKind::call, name.at, name.text, 0, {}, {}, 0};
        advance();
        while (!error_ && !is(")")) {
            if (node.operand_count == most_operands) {
                refuse(fmt::format("no function takes more than {} arguments", most_operands),
                       "See the functions: slab kernels map");
                return 0;
            }
            node.operands[static_cast<std::size_t>(node.operand_count++)] = binary(0);
            if (!is(",")) {
                break;
            }
            advance();
        }
        close();
        return add(node);
    }

    void close() {
        if (!is(")")) {
            refuse_word("a ')' is missing here");
        }
        advance();
    }

    int named(const Token& name) {
        // Inputs come first: of five arrays the fifth is e.
        if (name.text.size() == 1 && name.text[0] >= 'a' && name.text[0] - 'a' < inputs_) {
            return add({NodeKind::input, name.at, name.text, name.text[0] - 'a', {}, {}, 0});
        }
        if (const auto constant = named_constant(name.text)) {
            return add({NodeKind::literal, name.at, name.text, 0, *constant, {}, 0});
        }
        std::string inputs = "a";
        for (int i = 1; i < inputs_; ++i) {
            inputs += fmt::format(", {}", static_cast<char>('a' + i));
        }
        if (!error_) {
            error_ = error_at(text_, name.at, fmt::format("unknown name '{}'", name.text.substr(0, 40)),
                              fmt::format("{} {}; functions are listed by: slab kernels map",
                                          inputs_ == 1 ? "the input is" : "the inputs are", inputs));
            token_ = {TokenKind::end, text_.size(), {}, {}};
        }
        return 0;
    }

    std::string_view text_;
    int inputs_;
    Token token_{};
    int depth_ = 0;
    Tree tree_;
    std::optional<Error> error_;
};

}  // namespace

Expected<Tree> parse(std::string_view text, int inputs) {
    return Parser(text, inputs).parse();
}

}  // namespace slab::kernels::expression
