#pragma once

#include "tests/agreement/agreement_cases.hpp"

#include <vector>

namespace slab::agreement {

std::vector<AgreementCase> uniform_cases();
std::vector<AgreementCase> gaussian_cases();
std::vector<AgreementCase> smooth_cases();
std::vector<AgreementCase> correlate_cases(std::string_view kernel);

}  // namespace slab::agreement
