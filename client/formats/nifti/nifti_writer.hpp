#pragma once

#include "client/formats/nifti/nifti_header.hpp"

namespace slab {

// A single file's bytes up to its voxels, in this machine's byte order: header, extensions, zeros up to the next multiple of
// 4096, where O_DIRECT can write. datatype, dim and version must fit each other.
std::string make_nifti_header(const NiftiHeader& header);

// How long that is.
std::int64_t nifti_data_offset(const NiftiHeader& header);

}  // namespace slab
