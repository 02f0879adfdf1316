#pragma once

#include "daemon/kernels/kernel.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace slab::agreement {

// Kernels that compute are compared within a tolerance, which means nothing beside an infinity; of products it is as large
// as the product of two inputs, and no more than the largest of them up to 1.
enum class Content : std::uint8_t { any_bits, ordinary, up_to_one };

struct AgreementCase {
    std::string name;
    kernels::PlanRequest request;
    Content content = Content::any_bits;
};

// Small and odd shapes, all dtypes, all parameters that choose another path; some with more than 1 MiB of
// output, which is stored past the caches. Empty for a kernel that nobody wrote cases for: a test says so.
std::vector<AgreementCase> agreement_cases(std::string_view kernel);

// Those of this process: SLABD_AGREEMENT_KERNEL=plug_ means kernels whose names begin so, SLABD_AGREEMENT_SHARE=0/2 every
// second case, from the first on, 1/2 the others; all unless they are set.
std::vector<AgreementCase> shared_agreement_cases(std::string_view kernel);

// Any bytes for integers; for real and complex numbers also infinities, NaNs, denormals and zeros of both
// signs, unless they are to be ordinary: -1000 to 1000, or -1 to 1.
std::vector<std::byte> random_content(const ArrayDescription& array, Content content,
                                      std::mt19937_64& random);

}  // namespace slab::agreement
