#include "client/command_line/split_arguments.hpp"

#include "common/errors/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab {
namespace {

// "-1", "-.5,2", "-inf": a value; "-o", "--keep": an option.
bool is_value(std::string_view word) {
    if (!word.starts_with('-') || word == "-") {
        return true;
    }
    const std::string_view rest = word.substr(1);
    return (rest.front() >= '0' && rest.front() <= '9') || rest.front() == '.' || rest.starts_with("inf") ||
           rest.starts_with("nan");
}

std::string with(std::string_view name, char from, char to) {
    std::string result(name);
    std::ranges::replace(result, from, to);
    return result;
}

const KnownOption* find(std::span<const KnownOption> known, std::string_view name) {
    const auto found = std::ranges::find(known, name, &KnownOption::name);
    return found == known.end() ? nullptr : &*found;
}

std::string nearest_of(std::string_view name, std::span<const KnownOption> known) {
    std::vector<std::string> names;
    for (const KnownOption& option : known) {
        if (option.name.size() > 1) {
            names.push_back(option.name);
        }
    }
    return nearest_name(name, names);
}

}  // namespace

Expected<SplitArguments> split_arguments(std::span<const std::string> arguments,
                                         std::span<const KnownOption> known) {
    SplitArguments result;
    std::size_t positionals = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--") {
            result.known.insert(result.known.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                                arguments.end());
            break;
        }
        const bool has_next = i + 1 < arguments.size();
        if (!word.starts_with("--")) {
            result.known.push_back(word);
            positionals += word.starts_with('-') && word != "-" ? 0 : 1;
            const KnownOption* option = word.starts_with('-') ? find(known, word.substr(1)) : nullptr;
            if (option != nullptr && option->takes == KnownOption::Takes::value && has_next) {
                result.known.push_back(arguments[++i]);
            }
            continue;
        }
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
        if (const KnownOption* option = find(known, with(name, '_', '-')); option != nullptr) {
            std::string whole = "--" + option->name;
            if (equals != std::string::npos) {
                whole += word.substr(equals);
            } else if (option->takes == KnownOption::Takes::value && has_next) {
                whole += "=" + arguments[++i];
            }
            result.known.push_back(std::move(whole));
            continue;
        }
        ParameterWord parameter{.name = with(name, '-', '_'), .positionals_before = positionals};
        if (std::ranges::find(result.parameters, parameter.name, &ParameterWord::name) !=
            result.parameters.end()) {
            return std::unexpected(Error{ErrorKind::usage, fmt::format("--{} is given twice", name), "",
                                         "Give each parameter once."});
        }
        if (equals != std::string::npos) {
            parameter.form = ParameterWord::Form::joined;
            parameter.text = word.substr(equals + 1);
        } else if (has_next && is_value(arguments[i + 1])) {
            parameter.form = ParameterWord::Form::next_word;
            parameter.text = arguments[++i];
        } else {
            parameter.option_meant = nearest_of(name, known);
        }
        result.parameters.push_back(std::move(parameter));
    }
    return result;
}

}  // namespace slab
