#pragma once

#include "client/library/job_request.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slab {

struct TomlProblem {
    toml::source_index line = 0;
    std::string what;
    std::string because;
    std::string remedy;
};

// The table `parameters` of a job file, added to `place`; a list of rows is a table of numbers. Nothing: it could be read.
std::optional<TomlProblem> parameters_from_toml(const toml::node& node, Parameters& place);

std::optional<std::vector<std::int64_t>> integers_from_toml(const toml::node& node);

}  // namespace slab
