#pragma once

#include "client/formats/byte_source.hpp"
#include "client/formats/nifti/nifti_header.hpp"

#include <string_view>

namespace slab {

// Whether a file that begins so is meant to be a NIfTI file, single or one of a pair. `start`: 352 bytes, or all.
bool begins_as_nifti(std::string_view start);

// Reads the header of a single file (.nii) and its extensions. `name` is for errors, all of kind usage: no NIfTI file, cut
// short, one of a pair, types and shapes that slabd has not, an offset that cannot be. Whether the voxels are all there is not
// looked at. What comes back can be trusted: dim[0] is 1 to 7, extents are not negative and their product is checked,
// array_axes() are there, the voxels lie behind the header.
Expected<NiftiHeader> read_nifti_header(const ByteSource& source, const std::string& name);

// The array of a header that was read.
ArrayDescription array_of(const NiftiHeader& header);

}  // namespace slab
