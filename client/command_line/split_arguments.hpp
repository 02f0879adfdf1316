#pragma once

#include "common/errors/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace slab {

// An option of the client's own, without its dashes: "max-memory", "o".
struct KnownOption {
    enum class Takes : std::uint8_t { nothing, value };
    std::string name;
    Takes takes = Takes::nothing;
};

// A long option that is not the client's own, and so a kernel's parameter. What its words mean depends on the kernel,
// which the daemon alone knows: a flag has no value, and the word behind it is then something else.
struct ParameterWord {
    enum class Form : std::uint8_t {
        bare,       // --name, and nothing that may be a value follows
        next_word,  // --name WORD
        joined,     // --name=WORD
    };
    std::string name;  // dashes as underscores
    Form form = Form::bare;
    std::string text = {};               // empty when bare
    std::size_t positionals_before = 0;  // how many words that belong to no option
    std::string option_meant = {};       // an option of the client's own that is spelled nearly so
};

struct SplitArguments {
    std::vector<std::string> known;  // options of the client and positionals, for its parser
    std::vector<ParameterWord> parameters;
};

// The client knows no kernel, so a long option that is not its own is a parameter, and the next word may be its value:
// it may be a negative number but no option. Errors of kind usage: a parameter is given twice.
Expected<SplitArguments> split_arguments(std::span<const std::string> arguments,
                                         std::span<const KnownOption> known);

}  // namespace slab
