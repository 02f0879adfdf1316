#include "daemon/kernels/parameters.hpp"

#include <algorithm>

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

}  // namespace slab::kernels
