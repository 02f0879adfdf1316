#pragma once

#include "common/array/dtype.hpp"

#include <array>
#include <cstddef>

namespace slab::kernels {

// The bytes of one element, as many as its type has.
using ElementBytes = std::array<std::byte, 16>;

// `cval` in the type of the array, as scipy.ndimage casts it: integers round half away from zero and clamp, bool is
// whether the whole part is not 0, complex has it as its real part. What scipy's casts leave undefined: NaN in an
// integer is 0, and 64-bit integers clamp too.
ElementBytes fill_value(double cval, DType dtype);

}  // namespace slab::kernels
