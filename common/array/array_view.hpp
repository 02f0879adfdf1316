#pragma once

#include "common/array/dtype.hpp"
#include "common/array/shape.hpp"

#include <cstddef>

namespace slab {

// An array that lies in memory, C-contiguous. Kernels see no other: a Fortran-ordered array is shown to them as the
// C-ordered array of the reversed shape, and parameters per axis are reversed with it.
struct ConstArrayView {
    const std::byte* data = nullptr;
    DType dtype = DType::uint8;
    Shape shape;
};

struct ArrayView {
    std::byte* data = nullptr;
    DType dtype = DType::uint8;
    Shape shape;
};

}  // namespace slab
