#pragma once

#include "common/array/number_table.hpp"
#include "common/errors/error.hpp"

#include <string>
#include <string_view>

namespace slab {

inline constexpr std::string_view itk_magic = "#Insight Transform File";

// The transforms of an Insight Transform File (text), as the table that reslice takes: for each 16 numbers, the matrix from
// mm of the frame to mm of the reference, x to the right, y to the front. ITK's own are the other way round, from the
// fixed image's points to the moving one's, with x to the left and y to the back; the centre is in FixedParameters.
// Only transforms of 12 parameters (AffineTransform, MatrixOffsetTransformBase and what else writes them so), with 3 fixed
// ones. Errors of kind usage name the line.
Expected<NumberTable> itk_transforms(std::string_view text, const std::string& path);

}  // namespace slab
