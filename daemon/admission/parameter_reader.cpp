#include "daemon/admission/parameter_reader.hpp"

#include "common/array/table_text.hpp"
#include "common/errors/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace slab::daemon {
namespace {

using kernels::ParameterDescription;
using kernels::ParameterType;
using kernels::ParameterValue;

std::string spelled(const GivenScalar& scalar) {
    if (const auto* text = std::get_if<std::string>(&scalar)) {
        return text->substr(0, 80);
    }
    return std::visit(
        [](const auto& value) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
                return value;
            } else {
                return fmt::format("{}", value);
            }
        },
        scalar);
}

// "'2,2'", "a table of 3 rows and 4 columns"
std::string spelled(const GivenParameter& parameter) {
    if (parameter.table) {
        return fmt::format("a table of {} row{} and {} column{}", parameter.table->rows,
                           parameter.table->rows == 1 ? "" : "s", parameter.table->columns,
                           parameter.table->columns == 1 ? "" : "s");
    }
    constexpr std::size_t most = 120;
    std::string text;
    for (std::size_t i = 0; i < parameter.values.size() && text.size() < most; ++i) {
        text += (i == 0 ? "" : ",") + spelled(parameter.values[i]);
    }
    return fmt::format("'{}'", text.substr(0, most));
}

std::optional<double> real_of(const GivenScalar& scalar) {
    if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
        return static_cast<double>(*integer);
    }
    if (const auto* real = std::get_if<double>(&scalar)) {
        return *real;
    }
    const std::string& text = std::get<std::string>(scalar);
    const char* const begin = text.data() + (text.starts_with('+') ? 1 : 0);
    double value = 0;
    const auto [end, failure] =
        std::from_chars(begin, text.data() + text.size(), value);  // knows nan and inf
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> integer_of(const GivenScalar& scalar) {
    if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
        return *integer;
    }
    if (const auto* text = std::get_if<std::string>(&scalar)) {
        std::int64_t value = 0;
        const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
        if (failure == std::errc{} && end == text->data() + text->size()) {
            return value;
        }
    }
    const auto real = real_of(scalar);
    constexpr double beyond_exact = 9.1e15;
    if (real && std::trunc(*real) == *real && std::abs(*real) < beyond_exact) {
        return static_cast<std::int64_t>(*real);
    }
    return std::nullopt;
}

// "2,2,1" typed on a command line is the list of its parts.
std::vector<GivenScalar> elements_of(const GivenParameter& parameter) {
    if (parameter.values.size() != 1 || !std::holds_alternative<std::string>(parameter.values.front())) {
        return parameter.values;
    }
    std::vector<GivenScalar> elements;
    const std::string& text = std::get<std::string>(parameter.values.front());
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t comma = std::min(text.find(',', begin), text.size());
        elements.emplace_back(text.substr(begin, comma - begin));
        begin = comma + 1;
    }
    return elements;
}

template <typename T, typename Convert>
std::optional<std::vector<T>> converted(const std::vector<GivenScalar>& elements, Convert convert) {
    std::vector<T> values;
    for (const GivenScalar& element : elements) {
        const auto value = convert(element);
        if (!value) {
            return std::nullopt;
        }
        values.push_back(*value);
    }
    return values.empty() || values.size() > static_cast<std::size_t>(max_rank) ? std::nullopt
                                                                                : std::optional(values);
}

std::string what_it_takes(const ParameterDescription& parameter) {
    const std::string range = parameter.range.empty() ? "" : " " + parameter.range;
    switch (parameter.type) {
    case ParameterType::integer: return "a whole number" + range;
    case ParameterType::real: return "a number" + range;
    case ParameterType::integer_per_axis: return "whole numbers" + range + ", one for each axis: 64,64,32";
    case ParameterType::real_per_axis: return "a number" + range + ", or one for each axis: 2,2,1";
    case ParameterType::table: return "rows of numbers" + range + ": 1,0;0,1";
    case ParameterType::flag: return "on or off, true or false";
    case ParameterType::axes: return fmt::format("1 to {} axes, each once: 0,1 or -1", max_rank);
    case ParameterType::text: return fmt::format("text of 1 to {} bytes", kernels::longest_text) + range;
    case ParameterType::choice:
    case ParameterType::image: break;
    }
    std::string names;
    for (const std::string& choice : parameter.choices) {
        names += (names.empty() ? "" : ", ") + choice;
    }
    if (parameter.type == ParameterType::image) {
        return (names.empty() ? "" : fmt::format("{}, {}, or ", names, parameter.range)) + "an array";
    }
    return "one of " + names;
}

// The unexpected value says why it is no table.
std::expected<NumberTable, std::string> table_of(const GivenParameter& given) {
    if (given.table) {
        return *given.table;
    }
    if (given.values.size() == 1 && std::holds_alternative<std::string>(given.values.front())) {
        return table_from_text(std::get<std::string>(given.values.front()), TableText::typed);
    }
    NumberTable table{1, static_cast<std::int64_t>(given.values.size()), {}};
    for (const GivenScalar& element : given.values) {
        const auto value = real_of(element);
        if (!value) {
            return std::unexpected(fmt::format("'{}' is not a number", spelled(element)));
        }
        table.values.push_back(*value);
    }
    return table.values.empty()
               ? std::expected<NumberTable, std::string>(std::unexpected(std::string("there are no numbers")))
               : std::expected<NumberTable, std::string>(std::move(table));
}

std::optional<bool> flag_of(const GivenParameter& given) {
    const auto* text = given.values.size() == 1 ? std::get_if<std::string>(&given.values.front()) : nullptr;
    if (text != nullptr && (*text == "on" || *text == "true")) {
        return true;
    }
    return text != nullptr && (*text == "off" || *text == "false") ? std::optional(false) : std::nullopt;
}

// A number only where there are words to choose from, too: it is then a frame's.
std::optional<std::string> image_named(const ParameterDescription& parameter, const GivenParameter& given) {
    if (given.values.size() != 1) {
        return std::nullopt;
    }
    std::string name = spelled(given.values.front());
    const bool is_word = std::ranges::find(parameter.choices, name) != parameter.choices.end();
    const bool is_number = !parameter.choices.empty() && integer_of(given.values.front());
    return is_word || is_number || kernels::input_named(name) ? std::optional(std::move(name)) : std::nullopt;
}

Expected<ParameterValue> read_value(const kernels::KernelDescription& kernel,
                                    const ParameterDescription& parameter, const GivenParameter& given) {
    const auto refuse = [&](std::string remedy = {}) {
        remedy = remedy.empty() ? fmt::format("See: slab kernels {}", kernel.name) : remedy;
        return std::unexpected(Error{ErrorKind::usage,
                                     fmt::format("{} cannot be {}", parameter.name, spelled(given)),
                                     "it takes " + what_it_takes(parameter), std::move(remedy)});
    };
    if (parameter.type == ParameterType::table) {
        auto table = table_of(given);
        return table ? Expected<ParameterValue>(std::move(*table))
                     : std::unexpected(Error{
                           ErrorKind::usage, fmt::format("{} cannot be {}", parameter.name, spelled(given)),
                           std::move(table.error()),
                           "Give rows of numbers: 1,0;0,1. Files are read by the command slab, not by the "
                           "daemon; in Python read them with numpy.loadtxt."});
    }
    if (given.table) {
        return refuse();
    }
    if (parameter.type == ParameterType::text) {
        // A number is one too: `--expr 1` comes from a job file as the number 1.
        const auto* const text =
            given.values.size() == 1 ? std::get_if<std::string>(&given.values.front()) : nullptr;
        const std::string value = text != nullptr            ? *text
                                  : given.values.size() == 1 ? spelled(given.values.front())
                                                             : std::string();
        if (value.empty() || value.size() > kernels::longest_text) {
            return refuse();
        }
        return ParameterValue(value);
    }
    const std::vector<GivenScalar> elements = elements_of(given);
    switch (parameter.type) {
    case ParameterType::integer:
        if (elements.size() == 1) {
            if (const auto value = integer_of(elements.front())) {
                return ParameterValue(*value);
            }
        }
        return refuse();
    case ParameterType::real:
        if (elements.size() == 1) {
            if (const auto value = real_of(elements.front())) {
                return ParameterValue(*value);
            }
        }
        return refuse();
    case ParameterType::integer_per_axis:
        if (auto values = converted<std::int64_t>(elements, integer_of)) {
            return ParameterValue(std::move(*values));
        }
        return refuse();
    case ParameterType::real_per_axis:
        if (auto values = converted<double>(elements, real_of)) {
            return ParameterValue(std::move(*values));
        }
        return refuse();
    case ParameterType::flag:
        if (const auto value = flag_of(given)) {
            return ParameterValue(*value);
        }
        return refuse();
    case ParameterType::axes:
        if (auto indices = converted<std::int64_t>(elements, integer_of)) {
            return ParameterValue(kernels::AxisList{std::move(*indices)});
        }
        return refuse();
    case ParameterType::image:
        if (auto name = image_named(parameter, given)) {
            return ParameterValue(std::move(*name));
        }
        return refuse("Files are opened by the command slab, not by the daemon; in Python give the array.");
    case ParameterType::table:
    case ParameterType::text: break;
    case ParameterType::choice: {
        const std::string name = given.values.size() == 1 ? spelled(given.values.front()) : spelled(given);
        if (std::ranges::find(parameter.choices, name) != parameter.choices.end()) {
            return ParameterValue(name);
        }
        const std::string nearest = nearest_name(name, parameter.choices);
        return refuse(nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
    }
    }
    return refuse();
}

Error unknown_parameter(const kernels::KernelDescription& kernel, const std::string& name) {
    std::vector<std::string> names;
    std::string list;
    for (const ParameterDescription& parameter : kernel.parameters) {
        names.push_back(parameter.name);
        list += (list.empty() ? "" : ", ") + parameter.name;
    }
    const std::string nearest = nearest_name(name, names);
    return {ErrorKind::usage, fmt::format("{} has no parameter '{}'", kernel.name, name.substr(0, 80)),
            names.empty() ? "it has none" : fmt::format("it has {}", list),
            nearest.empty() ? fmt::format("See: slab kernels {}", kernel.name)
                            : fmt::format("Did you mean '{}'?", nearest)};
}

}  // namespace

Expected<kernels::ParameterValues> read_parameters(const kernels::KernelDescription& kernel,
                                                   const std::vector<GivenParameter>& given) {
    kernels::ParameterValues values;
    std::set<std::string> seen;
    for (const GivenParameter& parameter : given) {
        const auto found = std::ranges::find(kernel.parameters, parameter.name, &ParameterDescription::name);
        if (found == kernel.parameters.end()) {
            return std::unexpected(unknown_parameter(kernel, parameter.name));
        }
        if (!seen.insert(parameter.name).second) {
            return std::unexpected(Error{ErrorKind::usage, fmt::format("{} is given twice", parameter.name),
                                         "", "Give it once."});
        }
        auto value = read_value(kernel, *found, parameter);
        if (!value) {
            return std::unexpected(value.error());
        }
        values.set(parameter.name, std::move(*value));
    }
    for (const ParameterDescription& parameter : kernel.parameters) {
        if (!parameter.fallback.empty() && !seen.contains(parameter.name)) {
            auto value = read_value(kernel, parameter, {parameter.name, {parameter.fallback}});
            if (!value) {
                return std::unexpected(value.error());
            }
            values.set(parameter.name, std::move(*value));
        } else if (parameter.type == ParameterType::flag && !seen.contains(parameter.name)) {
            values.set(parameter.name, false);
        }
    }
    return values;
}

}  // namespace slab::daemon
