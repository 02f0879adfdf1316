#include "client/formats/dict_literal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace slab {
namespace {

constexpr int deepest = 16;

class LiteralReader {
  public:
    explicit LiteralReader(std::string_view text) : text_(text) {}

    std::optional<Literal::Dict> whole_dict() {
        std::optional<Literal> literal = read_value(0);
        if (!literal) {
            return std::nullopt;
        }
        auto* const dict = std::get_if<Literal::Dict>(&literal->value);
        if (dict == nullptr) {
            position_ = 0;
            expected_ = "a dict";
            return std::nullopt;
        }
        skip_space();
        if (position_ != text_.size()) {
            expected_ = "nothing more";
            return std::nullopt;
        }
        return std::move(*dict);
    }

    std::string failure() const {
        const std::string_view found = text_.substr(std::min(position_, text_.size()), 12);
        std::string shown;
        for (const char letter : found) {
            shown += letter >= ' ' && letter <= '~' ? letter : '?';
        }
        return fmt::format("expected {} at character {}, found {}", expected_, position_,
                           shown.empty() ? "the end" : "'" + shown + "'");
    }

  private:
    static bool is_space(char letter) {
        return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
    }
    static bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

    void skip_space() {
        while (position_ < text_.size() && is_space(text_[position_])) {
            ++position_;
        }
    }
    char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

    bool take(char letter) {
        skip_space();
        if (position_ < text_.size() && text_[position_] == letter) {
            ++position_;
            return true;
        }
        return false;
    }

    bool take_word(std::string_view word) {
        if (text_.substr(position_).starts_with(word)) {
            position_ += word.size();
            return true;
        }
        return false;
    }

    std::nullopt_t expected(const char* what) {
        expected_ = what;
        return std::nullopt;
    }

    std::optional<Literal> read_value(int depth) {
        skip_space();
        if (depth > deepest) {
            return expected("less nesting");
        }
        const char first = peek();
        if (first == '\'' || first == '"') {
            std::optional<std::string> text = read_text();
            return text ? std::optional<Literal>(Literal{std::move(*text)}) : std::nullopt;
        }
        if (first == '-' || is_digit(first)) {
            return read_integer();
        }
        if (first == '(') {
            return read_tuple(depth);
        }
        if (first == '[') {
            return read_list(depth);
        }
        if (first == '{') {
            return read_dict(depth);
        }
        if (take_word("True")) {
            return Literal{true};
        }
        if (take_word("False")) {
            return Literal{false};
        }
        if (take_word("None")) {
            return Literal{Literal::None{}};
        }
        return expected("a value");
    }

    // Escapes keep their letter: they occur in field names only, which nobody reads here.
    std::optional<std::string> read_text() {
        const char quote = text_[position_++];
        std::string text;
        while (position_ < text_.size() && text_[position_] != quote) {
            if (text_[position_] == '\\' && position_ + 1 < text_.size()) {
                ++position_;
            }
            text += text_[position_++];
        }
        if (position_ == text_.size()) {
            return expected("a closing quote");
        }
        ++position_;
        return text;
    }

    std::optional<Literal> read_integer() {
        std::int64_t number = 0;
        const char* const begin = text_.data() + position_;
        const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), number);
        if (code != std::errc{}) {
            return expected("a whole number of at most 63 bits");
        }
        position_ += static_cast<std::size_t>(end - begin);
        if (peek() == 'L') {  // Python 2 wrote long numbers so
            ++position_;
        }
        return Literal{number};
    }

    std::optional<Literal> read_tuple(int depth) {
        ++position_;
        std::vector<Literal> items;
        bool after_comma = false;
        while (!take(')')) {
            if (!items.empty() && !after_comma) {
                return expected("',' or ')'");
            }
            std::optional<Literal> item = read_value(depth + 1);
            if (!item) {
                return std::nullopt;
            }
            items.push_back(std::move(*item));
            after_comma = take(',');
        }
        if (items.size() == 1 && !after_comma) {
            return std::move(items.front());  // (5) is 5; (5,) is a tuple
        }
        return Literal{Literal::Tuple{std::move(items)}};
    }

    std::optional<Literal> read_list(int depth) {
        ++position_;
        std::vector<Literal> items;
        bool after_comma = true;
        while (!take(']')) {
            if (!after_comma) {
                return expected("',' or ']'");
            }
            std::optional<Literal> item = read_value(depth + 1);
            if (!item) {
                return std::nullopt;
            }
            items.push_back(std::move(*item));
            after_comma = take(',');
        }
        return Literal{Literal::List{std::move(items)}};
    }

    std::optional<Literal> read_dict(int depth) {
        ++position_;
        Literal::Dict dict;
        bool after_comma = true;
        while (!take('}')) {
            if (!after_comma) {
                return expected("',' or '}'");
            }
            skip_space();
            if (peek() != '\'' && peek() != '"') {
                return expected("a quoted key");
            }
            std::optional<std::string> key = read_text();
            if (!key) {
                return std::nullopt;
            }
            if (std::ranges::any_of(dict, [&key](const auto& entry) { return entry.key == *key; })) {
                return expected("each key once");
            }
            if (!take(':')) {
                return expected("':'");
            }
            std::optional<Literal> value = read_value(depth + 1);
            if (!value) {
                return std::nullopt;
            }
            dict.push_back({std::move(*key), std::move(*value)});
            after_comma = take(',');
        }
        return Literal{std::move(dict)};
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string expected_;
};

}  // namespace

Expected<Literal::Dict> parse_dict_literal(std::string_view text) {
    LiteralReader reader(text);
    std::optional<Literal::Dict> dict = reader.whole_dict();
    if (!dict) {
        return std::unexpected(Error{ErrorKind::usage, "the header cannot be read", reader.failure(), ""});
    }
    return std::move(*dict);
}

}  // namespace slab
