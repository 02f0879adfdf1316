#pragma once

#include "common/array/number_table.hpp"
#include "common/errors/error.hpp"

#include <string>

namespace slab {

// A table in a file, known by its beginning: .npy of real numbers (1-D: one row; 2-D; 3-D of n matrices: n rows, each a
// matrix row by row), text with a row a line, or an Insight Transform File (itk_transforms.hpp). Errors of kind usage.
Expected<NumberTable> read_table_file(const std::string& path);

}  // namespace slab
