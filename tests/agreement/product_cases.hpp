#pragma once

#include "tests/agreement/agreement_cases.hpp"

#include <string_view>
#include <vector>

namespace slab::agreement {

std::vector<AgreementCase> matmul_cases();

// fft, ifft, rfft or irfft.
std::vector<AgreementCase> fft_cases(std::string_view kernel);

}  // namespace slab::agreement
