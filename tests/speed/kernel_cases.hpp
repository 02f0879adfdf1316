#pragma once

#include "daemon/kernels/kernel.hpp"

#include <string>
#include <vector>

namespace slab::speed {

struct SpeedCase {
    std::string name;
    std::string kernel;
    std::vector<ArrayDescription> inputs;
    kernels::ParameterValues parameters;
    double needed_share = 1.0;  // of the inputs' bytes: those in lines of memory that the output depends on
};

std::vector<SpeedCase> speed_cases();

}  // namespace slab::speed
