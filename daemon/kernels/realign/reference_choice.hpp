#pragma once

#include "daemon/kernels/kernel.hpp"

#include <cstdint>

namespace slab::kernels::realign {

// What the parameter `reference` means.
struct ReferenceChoice {
    std::int64_t frame = 0;  // that the first pass goes to; the number of frames: the image
    std::int64_t input = 0;  // the image's; 0: none
    bool is_mean = false;    // in whose space the result is
};

// Errors: no such frame; an image that does not lie in the frames' grid.
Expected<ReferenceChoice> choose_reference(const PlanRequest& request);

// The input that is the mask; 0: none. Errors: it does not lie in the frames' grid.
Expected<std::int64_t> choose_mask(const PlanRequest& request);

}  // namespace slab::kernels::realign
