#include "daemon/kernels/plugin/plugin_values.hpp"

#include "daemon/kernels/chosen_axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace slab::kernels {
namespace {

// 0 of what no integer holds.
std::int64_t integer_of(double value) {
    constexpr double beyond_integers = 9.2e18;
    return value > -beyond_integers && value < beyond_integers ? static_cast<std::int64_t>(value) : 0;
}
std::int64_t integer_of(std::int64_t value) {
    return value;
}

// As the rules and the tile function see it: one for each axis.
template <typename T>
Expected<void> spread(const std::vector<T>& given, const ParameterDescription& parameter,
                      const PlanRequest& request, StoredValue& stored) {
    const auto rank = static_cast<std::size_t>(request.inputs.front().shape.rank);
    if (given.size() != 1 && given.size() != rank) {
        return std::unexpected(Error{
            ErrorKind::usage, fmt::format("{} has {} values for {} axes", parameter.name, given.size(), rank),
            fmt::format("the first input has shape {}", to_text(request.inputs.front().shape)),
            "Give one for all axes, or one for each."});
    }
    for (std::size_t axis = 0; axis < rank; ++axis) {
        const T value = given[given.size() == 1 ? 0 : axis];
        stored.integers[axis] = integer_of(value);
        stored.reals[axis] = static_cast<double>(value);
    }
    return {};
}

void store_number(double value, StoredValue& stored) {
    stored.real = value;
    stored.integer = integer_of(value);
}

std::int64_t append(std::vector<std::byte>& bytes, const void* data, std::size_t count) {
    bytes.resize((bytes.size() + 7) / 8 * 8);
    const auto at = static_cast<std::int64_t>(bytes.size());
    const auto* const begin = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), begin, begin + count);
    return at;
}

}  // namespace

Expected<std::vector<std::byte>> store_values(const PluginKernel& kernel, const PlanRequest& request) {
    const auto& parameters = kernel.description.parameters;
    std::vector<std::byte> bytes(parameters.size() * sizeof(StoredValue));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const ParameterDescription& parameter = parameters[i];
        const ParameterValues& values = request.parameters;
        StoredValue stored;
        stored.is_given = values.has(parameter.name) ? 1 : 0;
        Expected<void> usable;
        if (const auto* integer = values.get<std::int64_t>(parameter.name)) {
            stored.integer = *integer;
            stored.real = static_cast<double>(*integer);
        } else if (const auto* real = values.get<double>(parameter.name)) {
            store_number(*real, stored);
        } else if (const auto* flag = values.get<bool>(parameter.name)) {
            store_number(*flag ? 1 : 0, stored);
        } else if (const auto* integers = values.get<std::vector<std::int64_t>>(parameter.name)) {
            usable = spread(*integers, parameter, request, stored);
        } else if (const auto* reals = values.get<std::vector<double>>(parameter.name)) {
            usable = spread(*reals, parameter, request, stored);
        } else if (const auto* text = values.get<std::string>(parameter.name)) {
            stored.text_at = append(bytes, text->c_str(), text->size() + 1);
            const auto choice = std::ranges::find(parameter.choices, *text);
            store_number(static_cast<double>(choice - parameter.choices.begin()), stored);
        } else if (const auto* table = values.get<Table>(parameter.name)) {
            stored.rows = table->rows;
            stored.columns = table->columns;
            stored.table_at = append(bytes, table->values.data(), table->values.size() * sizeof(double));
        }
        if (parameter.type == ParameterType::axes) {
            const auto chosen = chosen_axes(request, parameter.name, request.inputs.front().shape.rank);
            if (!chosen) {
                return std::unexpected(chosen.error());
            }
            stored.is_given = 1;
            for (const int axis : *chosen) {
                stored.integers[static_cast<std::size_t>(axis)] = 1;
                stored.reals[static_cast<std::size_t>(axis)] = 1;
            }
        }
        if (!usable) {
            return std::unexpected(usable.error());
        }
        std::memcpy(bytes.data() + i * sizeof(StoredValue), &stored, sizeof(stored));
    }
    return bytes;
}

StoredValue stored_value(std::span<const std::byte> table, std::size_t parameter) {
    StoredValue stored;
    std::memcpy(&stored, table.data() + parameter * sizeof(StoredValue), sizeof(stored));
    return stored;
}

SymbolTable::SymbolTable(const PluginKernel& kernel, std::span<const Shape> inputs,
                         std::span<const std::byte> table)
    : count_(kernel.symbols.size()) {
    std::size_t parameter = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const SizeSymbol& symbol = kernel.symbols[i];
        SymbolValues& values = values_[i];
        if (symbol.kind == SizeName::input_extent) {
            values.count = inputs[symbol.input].rank;
            std::ranges::copy(inputs[symbol.input].values(), values.values.begin());
        } else if (symbol.kind == SizeName::parameter_per_axis) {
            const StoredValue stored = stored_value(table, parameter++);
            values.count = stored.is_given != 0 ? inputs.front().rank : 0;
            values.values = stored.reals;
        } else if (symbol.kind == SizeName::parameter) {
            const StoredValue stored = stored_value(table, parameter++);
            values.is_single = true;
            values.count = stored.is_given;
            values.values[0] = stored.real;
        }
    }
}

void SymbolTable::set_tile(const Box& tile) {
    for (const auto& [symbol, bounds] :
         {std::pair{&values_[count_ - 2], &tile.begin}, std::pair{&values_[count_ - 1], &tile.end}}) {
        symbol->count = tile.rank;
        symbol->moves = true;
        std::ranges::copy(*bounds, symbol->values.begin());
    }
}

}  // namespace slab::kernels
