#pragma once

#include "tests/agreement/agreement_cases.hpp"

#include <string_view>
#include <vector>

namespace slab::agreement {

// Adds the kernels of a plug-in's library to the registry. Ends the process when it cannot: there is nothing to test.
void register_plugin(const char* path);

// Of the kernels of examples/plugin/imaging.c and tests/plugins/sound.c.
std::vector<AgreementCase> plugin_cases(std::string_view kernel);

}  // namespace slab::agreement
