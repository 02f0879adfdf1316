#include "daemon/kernels/plugin/size_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace slab::kernels {
namespace {

constexpr std::size_t deepest = 32;  // of the operands that wait, and of parentheses

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

// Recursive descent; writes the steps as it goes.
class SizeParser {
  public:
    SizeParser(std::string_view text, std::span<const SizeSymbol> symbols) : text_(text), symbols_(symbols) {}

    std::expected<SizeExpression, std::string> parse() {
        sum(0);
        skip_blanks();
        if (problem_.empty() && at_ < text_.size()) {
            fail(fmt::format("'{}' is not expected there", text_.substr(at_)));
        }
        if (!problem_.empty()) {
            return std::unexpected(std::move(problem_));
        }
        return std::move(result_);
    }

  private:
    using Operation = SizeExpression::Operation;

    void fail(std::string problem) {
        if (problem_.empty()) {
            problem_ = std::move(problem);
        }
        at_ = text_.size();
    }

    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') {
            ++at_;
        }
    }

    bool take(std::string_view word) {
        skip_blanks();
        if (!text_.substr(at_).starts_with(word)) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    void expect(std::string_view word) {
        if (!take(word)) {
            fail(fmt::format("'{}' is missing{}", word,
                             at_ < text_.size() ? fmt::format(" before '{}'", text_.substr(at_)) : ""));
        }
    }

    void write(Operation operation, double number = 0, std::size_t symbol = 0) {
        result_.steps_.push_back({operation, number, symbol});
    }

    void sum(std::size_t depth) {
        product(depth);
        while (problem_.empty()) {
            if (take("+")) {
                product(depth);
                write(Operation::add);
            } else if (take("-")) {
                product(depth);
                write(Operation::subtract);
            } else {
                return;
            }
        }
    }

    void product(std::size_t depth) {
        operand(depth);
        while (problem_.empty()) {
            if (take("*")) {
                operand(depth);
                write(Operation::multiply);
            } else if (take("//")) {
                operand(depth);
                write(Operation::divide_down);
            } else if (take("/")) {
                operand(depth);
                write(Operation::divide);
            } else {
                return;
            }
        }
    }

    void operand(std::size_t depth) {
        if (depth >= deepest / 2) {
            fail("it is nested too deeply");
            return;
        }
        if (take("-")) {
            operand(depth + 1);
            write(Operation::negate);
            return;
        }
        if (take("(")) {
            sum(depth + 1);
            expect(")");
            return;
        }
        skip_blanks();
        if (at_ < text_.size() && is_digit(text_[at_])) {
            number();
        } else if (at_ < text_.size() && is_letter(text_[at_])) {
            name(depth);
        } else {
            fail(at_ < text_.size()
                     ? fmt::format("'{}' is no number, name or parenthesis", text_.substr(at_, 1))
                     : std::string("a number or a name is missing at the end"));
        }
    }

    void number() {
        double value = 0;
        const auto [end, failure] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (failure != std::errc{} || value > 9e15) {
            fail(fmt::format("'{}' is no number", text_.substr(at_)));
            return;
        }
        at_ = static_cast<std::size_t>(end - text_.data());
        write(Operation::number, value);
    }

    void call(Operation operation, int arguments, std::size_t depth) {
        expect("(");
        for (int i = 0; i < arguments; ++i) {
            if (i > 0) {
                expect(",");
            }
            sum(depth + 1);
        }
        expect(")");
        write(operation);
    }

    void name(std::size_t depth) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) {
            ++at_;
        }
        const std::string_view word = text_.substr(begin, at_ - begin);
        struct Function {
            std::string_view name;
            Operation operation;
            int arguments;
        };
        constexpr std::array functions{
            Function{"min", Operation::least, 2}, Function{"max", Operation::most, 2},
            Function{"floor", Operation::floor, 1}, Function{"ceil", Operation::ceil, 1},
            Function{"round", Operation::round, 1}};
        const auto function = std::ranges::find(functions, word, &Function::name);
        if (function != functions.end()) {
            call(function->operation, function->arguments, depth);
            return;
        }
        if (word == "axis") {
            write(Operation::axis);
            return;
        }
        const auto symbol = std::ranges::find(symbols_, word, &SizeSymbol::name);
        if (symbol == symbols_.end()) {
            fail(fmt::format("'{}' is not known there", word));
            return;
        }
        const auto number = static_cast<std::size_t>(symbol - symbols_.begin());
        result_.follows_tile_ = result_.follows_tile_ || symbol->kind == SizeName::tile_bound;
        if (take("[")) {
            if (symbol->kind == SizeName::parameter) {
                fail(fmt::format("'{}' is one number and has no axes", word));
                return;
            }
            sum(depth + 1);
            expect("]");
            write(Operation::subscript, 0, number);
            return;
        }
        if (symbol->kind == SizeName::input_extent && !result_.spread_input_) {
            result_.spread_input_ = symbol->input;
        }
        write(Operation::symbol, 0, number);
    }

    std::string_view text_;
    std::span<const SizeSymbol> symbols_;
    std::size_t at_ = 0;
    std::string problem_;
    SizeExpression result_;
};

std::expected<SizeExpression, std::string> SizeExpression::parse(std::string_view text,
                                                                 std::span<const SizeSymbol> symbols) {
    return SizeParser(text, symbols).parse();
}

namespace {

bool is_fixed(const SizeValue& value) {
    return value.never_falls && value.never_rises;
}

SizeValue negative(const SizeValue& value) {
    return {-value.value, value.never_rises, value.never_falls};
}

SizeValue sum_of(const SizeValue& a, const SizeValue& b) {
    return {a.value + b.value, a.never_falls && b.never_falls, a.never_rises && b.never_rises};
}

// By a number that every tile has in common: its sign keeps or turns the direction. Of two that move nothing is known.
SizeValue product_of(const SizeValue& a, const SizeValue& b) {
    if (!is_fixed(a) && !is_fixed(b)) {
        return {a.value * b.value, false, false};
    }
    const SizeValue& fixed = is_fixed(a) ? a : b;
    const SizeValue& moving = is_fixed(a) ? b : a;
    const bool turns = fixed.value < 0;
    return {a.value * b.value, turns ? moving.never_rises : moving.never_falls,
            turns ? moving.never_falls : moving.never_rises};
}

std::optional<SizeValue> quotient_of(const SizeValue& a, const SizeValue& b) {
    if (b.value == 0) {
        return std::nullopt;
    }
    const bool turns = b.value < 0;
    const bool is_known = is_fixed(b);
    return SizeValue{a.value / b.value, is_known && (turns ? a.never_rises : a.never_falls),
                     is_known && (turns ? a.never_falls : a.never_rises)};
}

}  // namespace

std::optional<SizeValue> SizeExpression::evaluate(const SizeScope& scope) const {
    std::array<SizeValue, deepest> stack;
    std::size_t height = 0;
    const auto symbol_at = [&](std::size_t symbol, double place) -> std::optional<SizeValue> {
        const SymbolValues& values = scope.symbols[symbol];
        const double from_begin = place < 0 ? place + values.count : place;
        if (!(from_begin >= 0 && from_begin < values.count) || std::trunc(from_begin) != from_begin) {
            return std::nullopt;
        }
        return SizeValue{values.values[static_cast<std::size_t>(from_begin)], true, !values.moves};
    };
    for (const Step& step : steps_) {
        std::optional<SizeValue> value;
        SizeValue& top = stack[height > 0 ? height - 1 : 0];
        const SizeValue& below = stack[height > 1 ? height - 2 : 0];
        std::size_t operands = 0;
        switch (step.operation) {
        case Operation::number: value = SizeValue{step.number}; break;
        case Operation::axis: value = SizeValue{static_cast<double>(scope.axis)}; break;
        case Operation::symbol:
            value = symbol_at(step.symbol, scope.symbols[step.symbol].is_single ? 0 : scope.axis);
            break;
        case Operation::subscript:
            operands = 1;
            value = is_fixed(top) ? symbol_at(step.symbol, top.value) : std::nullopt;
            break;
        case Operation::negate:
            operands = 1;
            value = negative(top);
            break;
        case Operation::add:
            operands = 2;
            value = sum_of(below, top);
            break;
        case Operation::subtract:
            operands = 2;
            value = sum_of(below, negative(top));
            break;
        case Operation::multiply:
            operands = 2;
            value = product_of(below, top);
            break;
        case Operation::divide:
        case Operation::divide_down:
            operands = 2;
            value = quotient_of(below, top);
            if (value && step.operation == Operation::divide_down) {
                value->value = std::floor(value->value);
            }
            break;
        case Operation::least:
        case Operation::most:
            operands = 2;
            value = SizeValue{step.operation == Operation::least ? std::min(below.value, top.value)
                                                                 : std::max(below.value, top.value),
                              below.never_falls && top.never_falls, below.never_rises && top.never_rises};
            break;
        case Operation::floor:
        case Operation::ceil:
        case Operation::round:
            operands = 1;
            value = top;
            value->value = step.operation == Operation::floor  ? std::floor(top.value)
                           : step.operation == Operation::ceil ? std::ceil(top.value)
                                                               : std::nearbyint(top.value);
            break;
        }
        height -= operands;
        if (!value || !std::isfinite(value->value) || height == deepest) {
            return std::nullopt;
        }
        stack[height++] = *value;
    }
    return stack[0];
}

}  // namespace slab::kernels
