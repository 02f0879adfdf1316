#include "client/command_line/table.hpp"

#include <algorithm>

namespace slab {
namespace {

// Code points, not bytes: names may be anything.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xc0) != 0x80; }));
}

bool begins_as_number(const std::string& cell) {
    return cell.empty() || cell == "-" || (cell.front() >= '0' && cell.front() <= '9');
}

}  // namespace

std::string Table::text() const {
    const std::size_t columns = rows_.front().size();
    std::vector<std::size_t> widths(columns, 0);
    std::vector<bool> numeric(columns, rows_.size() > 1);
    for (const auto& row : rows_) {
        for (std::size_t column = 0; column < columns; ++column) {
            widths[column] = std::max(widths[column], width_of(row[column]));
            numeric[column] = numeric[column] && (&row == &rows_.front() || begins_as_number(row[column]));
        }
    }
    std::string text;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t column = 0; column < columns; ++column) {
            const std::string space(widths[column] - width_of(row[column]), ' ');
            line += column == 0 ? "" : "  ";
            line += numeric[column] ? space + row[column] : row[column] + space;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

}  // namespace slab
