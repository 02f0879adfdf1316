#pragma once

#include "common/errors/error.hpp"
#include "daemon/kernels/kernel.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace slab::daemon {

// A parameter as a client sent it: typed (Python, TOML) or as text (the command line). A boolean is text: "on", "off".
using GivenScalar = std::variant<std::int64_t, double, std::string>;

struct GivenParameter {
    std::string name;
    std::vector<GivenScalar> values;        // one, or the elements of a list
    std::optional<NumberTable> table = {};  // instead of them
};

// Values of the types that the kernel declares, with defaults filled in. Unknown names are answered with the nearest
// known one, bad values with what the parameter takes.
Expected<kernels::ParameterValues> read_parameters(const kernels::KernelDescription& kernel,
                                                   const std::vector<GivenParameter>& given);

}  // namespace slab::daemon
