#include "client/command_line/toml_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace slab {
namespace {

TomlProblem wrong_type(const toml::node& node, std::string_view key, std::string_view wanted) {
    return {node.source().begin.line, fmt::format("'{}' must be {}", key, wanted), "", ""};
}

std::optional<std::vector<double>> reals(const toml::node& node) {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
        return std::nullopt;
    }
    std::vector<double> values;
    for (const toml::node& item : *list) {
        const auto number = item.is_number() ? item.value<double>() : std::nullopt;
        if (!number) {
            return std::nullopt;
        }
        values.push_back(*number);
    }
    return values;
}

std::optional<ParameterValue> plain_value(const toml::node& node) {
    if (const auto number = node.value_exact<std::int64_t>()) {
        return ParameterValue(*number);
    }
    if (const auto number = node.value_exact<double>()) {
        return ParameterValue(*number);
    }
    if (const auto text = node.value_exact<std::string>()) {
        return ParameterValue(*text);
    }
    if (const auto flag = node.value_exact<bool>()) {
        return ParameterValue(*flag);
    }
    if (const auto whole = integers_from_toml(node)) {
        return ParameterValue(*whole);
    }
    if (const auto real = reals(node)) {
        return ParameterValue(*real);
    }
    return std::nullopt;
}

bool is_nested(const toml::array& list) {
    return std::ranges::any_of(list, [](const toml::node& item) { return item.is_array(); });
}

std::variant<NumberTable, TomlProblem> table_of(std::string_view key, const toml::array& rows) {
    NumberTable table;
    for (const toml::node& row : rows) {
        ++table.rows;
        const auto numbers = reals(row);
        if (!numbers || numbers->empty()) {
            return wrong_type(row, key, "made of rows of numbers");
        }
        const auto count = static_cast<std::int64_t>(numbers->size());
        table.columns = table.rows == 1 ? count : table.columns;
        if (count != table.columns) {
            return TomlProblem{row.source().begin.line, fmt::format("the rows of '{}' differ in length", key),
                               fmt::format("row {} has {} number{} where the others have {}", table.rows,
                                           count, count == 1 ? "" : "s", table.columns),
                               "Give every row equally many numbers."};
        }
        table.values.insert(table.values.end(), numbers->begin(), numbers->end());
    }
    return table;
}

}  // namespace

std::optional<TomlProblem> parameters_from_toml(const toml::node& node, Parameters& place) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_type(node, "parameters", "a table");
    }
    for (const auto& [key, value] : *table) {
        if (const toml::array* list = value.as_array(); list != nullptr && is_nested(*list)) {
            auto numbers = table_of(key.str(), *list);
            if (const auto* const problem = std::get_if<TomlProblem>(&numbers)) {
                return *problem;
            }
            place.insert_or_assign(std::string(key.str()), std::get<NumberTable>(std::move(numbers)));
        } else if (const auto typed = plain_value(value)) {
            place.insert_or_assign(std::string(key.str()), *typed);
        } else {
            return wrong_type(value, key.str(),
                              "a number, a text, true or false, a list of numbers, or a list of rows");
        }
    }
    return std::nullopt;
}

std::optional<std::vector<std::int64_t>> integers_from_toml(const toml::node& node) {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
        return std::nullopt;
    }
    std::vector<std::int64_t> values;
    for (const toml::node& item : *list) {
        const auto number = item.value_exact<std::int64_t>();
        if (!number) {
            return std::nullopt;
        }
        values.push_back(*number);
    }
    return values;
}

}  // namespace slab
