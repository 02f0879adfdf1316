#include "daemon/kernels/parameters.hpp"

#include <algorithm>
#include <charconv>

namespace slab::kernels {

void ParameterValues::set(std::string name, ParameterValue value) {
    for (auto& [known, known_value] : values_) {
        if (known == name) {
            known_value = std::move(value);
            return;
        }
    }
    values_.emplace_back(std::move(name), std::move(value));
}

void ParameterValues::forget_tables_above(std::int64_t numbers) {
    for (auto& [name, value] : values_) {
        if (auto* table = std::get_if<Table>(&value);
            table != nullptr && table->rows * table->columns > numbers) {
            table->values = std::vector<double>();  // "= {}" would keep the memory
        }
    }
}

void ParameterValues::reverse_axes() {
    for (auto& [name, value] : values_) {
        if (auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
            std::ranges::reverse(*integers);
        } else if (auto* reals = std::get_if<std::vector<double>>(&value)) {
            std::ranges::reverse(*reals);
        } else if (auto* axes = std::get_if<AxisList>(&value)) {
            std::ranges::reverse(axes->indices);
            for (std::int64_t& index : axes->indices) {
                index = -1 - index;
            }
        }
    }
}

const ParameterValue* ParameterValues::find(std::string_view name) const {
    const auto found = std::ranges::find(values_, name, &std::pair<std::string, ParameterValue>::first);
    return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::size_t> input_named(std::string_view text) {
    constexpr std::string_view word = "input ";
    if (!text.starts_with(word)) {
        return std::nullopt;
    }
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + word.size(), end, number);
    const bool is_number = read.ec == std::errc() && read.ptr == end && number > 0;
    return is_number ? std::optional(number - 1) : std::nullopt;
}

std::optional<std::size_t> input_of(const ParameterValues& values, std::string_view name) {
    const auto* const text = values.get<std::string>(name);
    return text == nullptr ? std::nullopt : input_named(*text);
}

}  // namespace slab::kernels
