#pragma once

#include "common/array/dtype.hpp"

#include <optional>
#include <string>

namespace slab {

// The standard's code for elements of this type; bool is written as uint8.
int nifti_code_of(DType dtype);

// Nothing for types that slabd has not: they have a name for the refusal.
std::optional<DType> dtype_of_nifti(int code);
std::string nifti_type_name(int code);

}  // namespace slab
