#include "common/array/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace slab {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

// A foreign file may hold any bytes.
std::string printable(std::string_view token) {
    constexpr std::size_t most = 40;
    std::string text(token.substr(0, most));
    std::ranges::replace_if(
        text, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    return text;
}

std::optional<double> number_of(std::string_view token) {
    const char* const end = token.data() + token.size();
    double value = 0;
    const auto [stop, failure] = std::from_chars(token.data() + (token.starts_with('+') ? 1 : 0), end, value);
    if (stop != end || failure == std::errc::invalid_argument) {
        return std::nullopt;
    }
    if (failure == std::errc::result_out_of_range) {  // also of numbers too small, which are zero
        value = std::strtod(std::string(token).c_str(), nullptr);
        return std::abs(value) < 1 ? std::optional(value) : std::nullopt;
    }
    return value;
}

class RowReader {
  public:
    explicit RowReader(TableText form) : form_(form), unit_(form == TableText::file ? "line" : "row") {}

    std::expected<NumberTable, std::string> read(std::string_view text) {
        const char row_end = form_ == TableText::file ? '\n' : ';';
        std::size_t begin = 0;
        std::int64_t number = 1;
        while (begin <= text.size() && problem_.empty()) {
            const std::size_t end = std::min(text.find(row_end, begin), text.size());
            take_row(text.substr(begin, end - begin), number++);
            begin = end + 1;
        }
        if (problem_.empty() && table_.rows == 0) {
            problem_ = "there are no numbers";
        }
        return problem_.empty() ? std::expected<NumberTable, std::string>(std::move(table_))
                                : std::unexpected(std::move(problem_));
    }

  private:
    void take_row(std::string_view row, std::int64_t number) {
        if (form_ == TableText::file) {
            row = row.substr(0, row.find('#'));
            if (row.find_first_not_of(blanks) == std::string_view::npos) {
                return;
            }
        }
        const std::size_t before = table_.values.size();
        take_numbers(row, number);
        const auto count = static_cast<std::int64_t>(table_.values.size() - before);
        if (problem_.empty() && table_.rows > 0 && count != table_.columns) {
            problem_ = fmt::format("{} {} has {} number{} where the others have {}", unit_, number, count,
                                   count == 1 ? "" : "s", table_.columns);
        }
        table_.columns = table_.rows == 0 ? count : table_.columns;
        ++table_.rows;
    }

    void take_numbers(std::string_view row, std::int64_t number) {
        std::size_t at = 0;
        bool expects_more = true;
        while (problem_.empty()) {
            at = std::min(row.find_first_not_of(blanks, at), row.size());
            if (at == row.size() && !expects_more) {
                return;
            }
            const std::size_t end = std::min(row.find_first_of(" \t\r\v\f,", at), row.size());
            take_number(row.substr(at, end - at), number);
            at = std::min(row.find_first_not_of(blanks, end), row.size());
            expects_more = at < row.size() && row[at] == ',';
            at += expects_more ? 1 : 0;
        }
    }

    void take_number(std::string_view token, std::int64_t number) {
        const std::optional<double> value = number_of(token);
        if (token.empty()) {
            problem_ = fmt::format("a number is missing in {} {}", unit_, number);
        } else if (!value) {
            problem_ = fmt::format("'{}' in {} {} is not a number", printable(token), unit_, number);
        } else if (static_cast<std::int64_t>(table_.values.size()) == most_table_numbers) {
            problem_ = fmt::format("it has more than {} numbers", most_table_numbers);
        } else {
            table_.values.push_back(*value);
        }
    }

    TableText form_;
    std::string_view unit_;
    NumberTable table_;
    std::string problem_;
};

}  // namespace

std::expected<NumberTable, std::string> table_from_text(std::string_view text, TableText form) {
    return RowReader(form).read(text);
}

}  // namespace slab
