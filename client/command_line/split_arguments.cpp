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

Error no_value(const std::string& word, const std::string* next, std::span<const KnownOption> known) {
    std::vector<std::string> names;
    for (const KnownOption& option : known) {
        if (option.name.size() > 1) {
            names.push_back(option.name);
        }
    }
    const std::string nearest = nearest_name(std::string_view(word).substr(2), names);
    return {
        ErrorKind::usage, fmt::format("{} has no value", word),
        fmt::format("it is no option of the client, so it is a parameter of the kernel, and {}",
                    next == nullptr ? std::string("nothing follows") : fmt::format("'{}' follows", *next)),
        nearest.empty() ? fmt::format("Give one: {} VALUE.", word)
                        : fmt::format("Did you mean --{}?", nearest)};
}

}  // namespace

Expected<SplitArguments> split_arguments(std::span<const std::string> arguments,
                                         std::span<const KnownOption> known) {
    SplitArguments result;
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
        std::string value;
        if (equals != std::string::npos) {
            value = word.substr(equals + 1);
        } else if (has_next && is_value(arguments[i + 1])) {
            value = arguments[++i];
        } else {
            return std::unexpected(no_value(word, has_next ? &arguments[i + 1] : nullptr, known));
        }
        if (!result.parameters.emplace(with(name, '-', '_'), ParameterValue(std::move(value))).second) {
            return std::unexpected(Error{ErrorKind::usage, fmt::format("--{} is given twice", name), "",
                                         "Give each parameter once."});
        }
    }
    return result;
}

}  // namespace slab
