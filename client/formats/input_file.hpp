#pragma once

#include "client/formats/nifti/nifti_header.hpp"
#include "client/formats/raw_layout.hpp"
#include "client/library/job_request.hpp"
#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace slab {

// An input on disk: opened with this user's rights, its header read, its size checked. The daemon gets the
// descriptor and never the path.
struct InputFile {
    UniqueDescriptor descriptor;
    ArrayDescription array;
    ByteOrder byte_order = ByteOrder::little;
    std::int64_t offset = 0;  // unpacked
    InputCodec codec = InputCodec::none;
    std::optional<NiftiHeader> nifti = {};  // of a NIfTI file
};

// Opened for reading, if it is a regular file. Errors of kind usage.
Expected<UniqueDescriptor> open_regular_file(const std::string& path);

// A .npy or NIfTI file, known by its beginning, or with raw options a file without a header; each may be packed with gzip
// (.npy.gz, .nii.gz, .gz). Of a packed file only the beginning is read: what is wrong behind it, the daemon finds. All
// errors are of kind usage.
Expected<InputFile> open_input(const std::string& path, const RawOptions& raw);

}  // namespace slab
