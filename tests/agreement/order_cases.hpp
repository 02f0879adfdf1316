#pragma once

#include "tests/agreement/agreement_cases.hpp"

#include <string_view>
#include <vector>

namespace slab::agreement {

// minimum, median or maximum.
std::vector<AgreementCase> order_statistic_cases(std::string_view kernel);

}  // namespace slab::agreement
