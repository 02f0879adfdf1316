#include "client/command_line/parameter_meaning.hpp"

#include "client/formats/table_file.hpp"
#include "common/array/table_text.hpp"
#include "common/errors/nearest_name.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace slab {
namespace {

std::string option_of(const std::string& parameter) {
    std::string option = "--" + parameter;
    std::ranges::replace(option, '_', '-');
    return option;
}

std::string type_of(const KernelInfo& kernel, const std::string& parameter) {
    const auto found = std::ranges::find(kernel.parameters, parameter, &KernelInfo::Parameter::name);
    return found == kernel.parameters.end() ? std::string() : found->type;
}

bool is_truth(std::string_view text) {
    constexpr std::array<std::string_view, 4> truths{"on", "off", "true", "false"};
    return std::ranges::find(truths, text) != truths.end();
}

// One of its choices, a frame's number where there are choices, or an input's that somebody has counted.
bool is_word_for_image(const KernelInfo& kernel, const std::string& parameter, const std::string& text) {
    const auto found = std::ranges::find(kernel.parameters, parameter, &KernelInfo::Parameter::name);
    const bool is_number = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    return std::ranges::find(found->choices, text) != found->choices.end() ||
           (is_number && !found->choices.empty()) || text.starts_with("input ");
}

Error no_such_image(const KernelInfo& kernel, const std::string& parameter, const std::string& text) {
    const std::string why = errno_text(errno);
    const auto found = std::ranges::find(kernel.parameters, parameter, &KernelInfo::Parameter::name);
    const std::string nearest = nearest_name(text, found->choices);
    return {ErrorKind::usage, fmt::format("{} cannot be '{}'", option_of(parameter), text.substr(0, 200)),
            found->choices.empty() ? fmt::format("as a file: {}", why)
                                   : fmt::format("it is none of {}, {}; and as a file: {}",
                                                 fmt::join(found->choices, ", "), found->range, why),
            nearest.empty() ? "Give the name of an array's file."
                            : fmt::format("Did you mean '{}'?", nearest)};
}

Error no_value(const KernelInfo& kernel, const ParameterWord& word) {
    const std::string option = option_of(word.name);
    if (!type_of(kernel, word.name).empty()) {
        return {ErrorKind::usage, option + " has no value",
                fmt::format("it is a parameter of {} and no flag", kernel.name),
                fmt::format("Give one: {} VALUE. See: slab kernels {}", option, kernel.name)};
    }
    std::vector<std::string> names;
    for (const KernelInfo::Parameter& parameter : kernel.parameters) {
        names.push_back(parameter.name);
    }
    const std::string nearest =
        word.option_meant.empty() ? nearest_name(word.name, names) : word.option_meant;
    return {ErrorKind::usage, option + " has no value",
            fmt::format("it is no option of the client and no flag of {}", kernel.name),
            nearest.empty() ? fmt::format("See: slab kernels {}", kernel.name)
                            : fmt::format("Did you mean {}?", option_of(nearest))};
}

Expected<NumberTable> table_of(const std::string& name, const std::string& text, const std::string& folder) {
    const std::string path = text.starts_with('/') ? text : folder + text;
    struct stat status {};
    if (!text.empty() && ::stat(path.c_str(), &status) == 0) {
        return read_table_file(path);
    }
    const std::string why_no_file = errno_text(text.empty() ? ENOENT : errno);
    auto typed = table_from_text(text, TableText::typed);
    if (!typed) {
        return std::unexpected(Error{ErrorKind::usage,
                                     fmt::format("{} cannot be '{}'", option_of(name), text.substr(0, 200)),
                                     fmt::format("as a file: {}; as numbers: {}", why_no_file, typed.error()),
                                     "Give a file (.npy, or text with a row a line), or the numbers, rows "
                                     "ended by semicolons: 1,0;0,1"});
    }
    return std::move(*typed);
}

}  // namespace

Expected<UnderstoodParameters> understand_parameters(const KernelInfo& kernel,
                                                     const std::vector<ParameterWord>& words,
                                                     const Parameters& given, const std::string& folder) {
    UnderstoodParameters result{given, {}, {}};
    for (const ParameterWord& word : words) {
        const bool is_flag = type_of(kernel, word.name) == "flag";
        const bool is_freed = is_flag && word.form == ParameterWord::Form::next_word && !is_truth(word.text);
        if (word.form == ParameterWord::Form::bare && !is_flag) {
            return std::unexpected(no_value(kernel, word));
        }
        if (is_freed) {
            const std::size_t inputs_before = std::max<std::size_t>(word.positionals_before, 1) - 1;
            result.inputs.push_back({word.text, inputs_before + result.inputs.size()});
        }
        if (is_freed || word.form == ParameterWord::Form::bare) {
            result.parameters.insert_or_assign(word.name, ParameterValue(true));
        } else {
            result.parameters.insert_or_assign(word.name, ParameterValue(word.text));
        }
    }
    for (auto& [name, value] : result.parameters) {
        const auto* const text = std::get_if<std::string>(&value);
        const std::string type = text == nullptr ? std::string() : type_of(kernel, name);
        const bool is_typed = std::ranges::find(words, name, &ParameterWord::name) != words.end();
        const std::string place = is_typed ? std::string() : folder;
        if (type == "image" && !is_word_for_image(kernel, name, *text)) {
            std::string path = text->starts_with('/') ? *text : place + *text;
            if (::access(path.c_str(), F_OK) != 0) {
                return std::unexpected(no_such_image(kernel, name, *text));
            }
            result.images.push_back({name, std::move(path)});
        }
        if (type != "table") {
            continue;
        }
        Expected<NumberTable> table = table_of(name, *text, place);
        if (!table) {
            return std::unexpected(table.error());
        }
        value = std::move(*table);
    }
    return result;
}

bool names_files(const Parameters& parameters) {
    return std::ranges::any_of(
        parameters, [](const auto& entry) { return std::holds_alternative<std::string>(entry.second); });
}

Error hinting_at_flags(Error error, const std::vector<ParameterWord>& words) {
    const auto before_kernel = std::ranges::find_if(words, [](const ParameterWord& word) {
        return word.positionals_before == 0 && word.form == ParameterWord::Form::next_word;
    });
    if (before_kernel != words.end()) {
        error.because +=
            fmt::format("{}'{}' was taken for the value of {}", error.because.empty() ? "" : "; ",
                        before_kernel->text, option_of(before_kernel->name));
        error.remedy = fmt::format("Name the kernel first, or write {0}=on if {0} is a flag.",
                                   option_of(before_kernel->name));
    }
    return error;
}

}  // namespace slab
