#include "client/command_line/kernel_help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace slab {
namespace {

constexpr std::size_t page_width = 100;

std::string wrapped(const std::string& text, std::size_t indent) {
    const std::string margin(indent, ' ');
    std::string result;
    std::string line;
    const auto flush = [&] {
        result += line.empty() ? "\n" : margin + line + "\n";
        line.clear();
    };
    std::size_t at = 0;
    while (at <= text.size()) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        const std::string word = text.substr(at, end - at);
        if (!line.empty() && indent + line.size() + 1 + word.size() > page_width) {
            flush();
        }
        line += (line.empty() ? "" : " ") + word;
        if (end == text.size() || text[end] == '\n') {
            flush();
        }
        at = end + 1;
    }
    return result;
}

std::string option_of(const std::string& parameter) {
    std::string option = parameter;
    std::ranges::replace(option, '_', '-');
    return "--" + option;
}

std::string value_of(const KernelInfo::Parameter& parameter) {
    if (parameter.type == "image") {
        return parameter.choices.empty() ? "FILE"
                                         : fmt::format("{}|N|FILE", fmt::join(parameter.choices, "|"));
    }
    if (!parameter.choices.empty()) {
        return fmt::format("{}", fmt::join(parameter.choices, "|"));
    }
    if (parameter.type == "integer") {
        return "N";
    }
    if (parameter.type == "real") {
        return "X";
    }
    if (parameter.type == "integer_per_axis" || parameter.type == "axes") {
        return "N[,N...]";
    }
    if (parameter.type == "table") {
        return "FILE";
    }
    if (parameter.type == "flag") {
        return "[on|off]";
    }
    if (parameter.type == "text") {
        return "TEXT";
    }
    return parameter.type == "real_per_axis" ? "X[,X...]" : "VALUE";
}

std::string facts_of(const KernelInfo::Parameter& parameter) {
    std::string facts = parameter.range;
    if (!parameter.fallback.empty()) {
        facts += (facts.empty() ? "" : "; ") + fmt::format("default {}", parameter.fallback);
    }
    return facts.empty() ? "" : fmt::format(" ({})", facts);
}

}  // namespace

std::string kernel_help(const KernelInfo& kernel) {
    std::string inputs;
    for (const KernelInfo::Input& input : kernel.inputs) {
        std::string name = input.name;
        std::ranges::transform(name, name.begin(),
                               [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
        inputs += " " + name + (input.repeats ? "..." : "");
    }
    std::string text = fmt::format("{}: {}\n\nusage: slab run {}{} -o OUTPUT [--PARAMETER VALUE]...\n",
                                   kernel.name, kernel.summary, kernel.name, inputs);
    if (!kernel.details.empty()) {
        text += "\n" + wrapped(kernel.details, 0);
    }
    if (!kernel.inputs.empty()) {
        text += "\ninputs\n";
        for (const KernelInfo::Input& input : kernel.inputs) {
            text += fmt::format("  {:<12} {}\n", input.name, input.shape);
        }
    }
    if (!kernel.dtypes.empty()) {
        text += "\nelement types: " + kernel.dtypes + "\n";
    }
    if (!kernel.parameters.empty()) {
        text += "\nparameters\n";
    }
    for (const KernelInfo::Parameter& parameter : kernel.parameters) {
        text += fmt::format("  {} {}\n", option_of(parameter.name), value_of(parameter)) +
                wrapped(parameter.help + facts_of(parameter), 6);
    }
    if (std::ranges::find(kernel.parameters, "table", &KernelInfo::Parameter::type) !=
        kernel.parameters.end()) {
        text +=
            "\n" +
            wrapped(
                "A table is a file: .npy, or text with a row of numbers a line, separated by blanks "
                "or commas, or a file of ITK transforms. Or the numbers themselves, rows ended by semicolons: 1,0;0,1.",
                0);
    }
    if (!kernel.plugin.empty()) {
        text += "\nplug-in\n  " + kernel.plugin + "\n";
    }
    if (!kernel.example.empty()) {
        text += "\nexample\n  " + kernel.example + "\n";
    }
    return text + "\nslab run --help lists the options that every kernel has.\n";
}

std::string kernel_list(std::span<const KernelInfo> kernels) {
    std::size_t width = 0;
    for (const KernelInfo& kernel : kernels) {
        width = std::max(width, kernel.name.size());
    }
    std::string text;
    for (const KernelInfo& kernel : kernels) {
        const std::string file = kernel.plugin.substr(kernel.plugin.rfind('/') + 1);
        text += fmt::format("{:<{}}  {}{}\n", kernel.name, width, kernel.summary,
                            file.empty() ? "" : fmt::format(" ({})", file));
    }
    return text + "\nslab kernels NAME tells a kernel's parameters.\n";
}

}  // namespace slab
