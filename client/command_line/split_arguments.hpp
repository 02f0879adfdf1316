#pragma once

#include "client/library/job_request.hpp"
#include "common/errors/error.hpp"

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

struct SplitArguments {
    std::vector<std::string> known;  // options of the client and positionals, for its parser
    Parameters parameters;  // all other --name VALUE and --name=VALUE, as text, dashes as underscores
};

// The client knows no kernel, so a long option that is not its own is a parameter and has a value: the next
// word. That may be a negative number but no option. Errors of kind usage: a parameter without a value or
// given twice.
Expected<SplitArguments> split_arguments(std::span<const std::string> arguments,
                                         std::span<const KnownOption> known);

}  // namespace slab
