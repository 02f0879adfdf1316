#include "common/protocol/table_json.hpp"

#include "common/protocol/base64.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

namespace slab {
namespace {

constexpr std::size_t bytes_each = sizeof(double);

std::unexpected<Error> refuse(const std::string& name, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage,
                                 fmt::format("the parameter '{}' is no table", name.substr(0, 80)),
                                 std::move(because), std::move(remedy)});
}

constexpr const char* rows_of_numbers = "Give rows of equally many numbers: [[1, 0], [0, 1]].";

std::optional<double> number_in(const Json& json) {
    if (json.is_number()) {
        return json.get<double>();
    }
    if (!json.is_string()) {
        return std::nullopt;
    }
    const std::string& text = json.get_ref<const std::string&>();
    if (text == "nan") {
        return std::nan("");
    }
    if (text == "inf" || text == "-inf") {
        return text == "inf" ? HUGE_VAL : -HUGE_VAL;
    }
    return std::nullopt;
}

Expected<NumberTable> from_rows(const Json& rows, const std::string& name) {
    NumberTable table;
    for (const Json& row : rows) {
        ++table.rows;
        if (!row.is_array()) {
            return refuse(name, fmt::format("row {} is not a list of numbers", table.rows), rows_of_numbers);
        }
        const auto count = static_cast<std::int64_t>(row.size());
        table.columns = table.rows == 1 ? count : table.columns;
        if (count != table.columns || count == 0) {
            return refuse(
                name,
                fmt::format("row {} has {} number{}{}", table.rows, count, count == 1 ? "" : "s",
                            table.rows == 1 ? "" : fmt::format(" where the others have {}", table.columns)),
                rows_of_numbers);
        }
        if (static_cast<std::int64_t>(table.values.size()) + count > most_listed_numbers) {
            return refuse(name, fmt::format("as a list it may have {} numbers", most_listed_numbers),
                          "Send it packed, as common/protocol/README.md describes.");
        }
        for (const Json& element : row) {
            const auto value = number_in(element);
            if (!value) {
                return refuse(name, fmt::format("row {} holds what is not a number", table.rows),
                              rows_of_numbers);
            }
            table.values.push_back(*value);
        }
    }
    return table;
}

std::int64_t count_at(const Json& object, std::string_view key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer() ||
        (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX)) {
        return 0;
    }
    return found->get<std::int64_t>();
}

double from_little_endian(std::string_view bytes) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, bytes.data(), bytes_each);
    return std::bit_cast<double>(std::endian::native == std::endian::little ? bits : std::byteswap(bits));
}

Expected<NumberTable> from_packed(const Json& object, const std::string& name) {
    const char* const remedy = "Send rows, columns and float64, as common/protocol/README.md describes.";
    const auto packed = object.find("float64");
    NumberTable table{count_at(object, "rows"), count_at(object, "columns"), {}};
    if (packed == object.end() || !packed->is_string() || table.rows < 1 || table.columns < 1) {
        return refuse(name, "it is an object without rows, columns (from 1 on) and float64 (base64)", remedy);
    }
    if (table.rows > most_table_numbers / table.columns) {
        return refuse(name,
                      fmt::format("it has {} rows of {} numbers; {} numbers are the most", table.rows,
                                  table.columns, most_table_numbers),
                      "Give a shorter table; what is that large is an array, an input.");
    }
    const auto bytes = bytes_of_base64(packed->get_ref<const std::string&>());
    const auto count = static_cast<std::size_t>(table.rows * table.columns);
    if (!bytes || bytes->size() != count * bytes_each) {
        return refuse(name,
                      fmt::format("{} rows of {} numbers are {} bytes; float64 is base64 of {}", table.rows,
                                  table.columns, count * bytes_each,
                                  bytes ? std::to_string(bytes->size()) : "nothing"),
                      remedy);
    }
    table.values.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        table.values[i] = from_little_endian(std::string_view(*bytes).substr(i * bytes_each, bytes_each));
    }
    return table;
}

Json listed(const NumberTable& table) {
    Json rows = Json::array();
    for (std::int64_t row = 0; row < table.rows; ++row) {
        Json list = Json::array();
        for (std::int64_t column = 0; column < table.columns; ++column) {
            list.push_back(
                real_to_json(table.values[static_cast<std::size_t>(row * table.columns + column)]));
        }
        rows.push_back(std::move(list));
    }
    return rows;
}

}  // namespace

bool is_table(const Json& json) {
    return json.is_object() ||
           (json.is_array() && std::ranges::any_of(json, [](const Json& item) { return item.is_array(); }));
}

Expected<NumberTable> table_from_json(const Json& json, const std::string& name) {
    return json.is_object() ? from_packed(json, name) : from_rows(json, name);
}

Json table_to_json(const NumberTable& table) {
    const auto count = static_cast<std::int64_t>(table.values.size());
    const bool is_whole =
        table.columns > 0 && count % table.columns == 0 && count / table.columns == table.rows;
    if (is_whole && count <= most_told_numbers) {
        return listed(table);
    }
    // One whose size and numbers contradict is left to the daemon to refuse.
    std::string bytes(table.values.size() * bytes_each, '\0');
    for (std::size_t i = 0; i < table.values.size(); ++i) {
        auto bits = std::bit_cast<std::uint64_t>(table.values[i]);
        bits = std::endian::native == std::endian::little ? bits : std::byteswap(bits);
        std::memcpy(bytes.data() + i * bytes_each, &bits, bytes_each);
    }
    return {{"rows", table.rows}, {"columns", table.columns}, {"float64", base64_of(bytes)}};
}

Json table_summary(const NumberTable& table) {
    return table.rows * table.columns <= most_told_numbers
               ? listed(table)
               : Json{{"rows", table.rows}, {"columns", table.columns}};
}

Json real_to_json(double value) {
    return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value));
}

}  // namespace slab
