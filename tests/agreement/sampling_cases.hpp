#pragma once

#include "tests/agreement/agreement_cases.hpp"

#include <vector>

namespace slab::agreement {

// A spline at the coordinates of a pull-back.
std::vector<AgreementCase> affine_cases();
std::vector<AgreementCase> reslice_cases();
std::vector<AgreementCase> realign_cases();

}  // namespace slab::agreement
