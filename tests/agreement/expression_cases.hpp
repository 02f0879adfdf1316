#pragma once

#include "tests/agreement/agreement_cases.hpp"

#include <vector>

namespace slab::agreement {

// map and fold: every kind of instruction and reduction, shapes that broadcast, all dtypes.
std::vector<AgreementCase> map_cases();
std::vector<AgreementCase> fold_cases();

}  // namespace slab::agreement
