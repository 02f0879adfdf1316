#pragma once

#include "client/formats/nifti/nifti_result.hpp"
#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slab {

// How a result is written; the ending of the file's name chooses.
enum class OutputFormat : std::uint8_t {
    npy,    // .npy
    raw,    // .raw, .bin: the elements and nothing else
    nifti,  // .nii
};

// How it is packed then: of names that end in .gz with gzip.
enum class OutputPacking : std::uint8_t { none, gzip };
OutputPacking packing_of(std::string_view name);

// Of a path without that ending. An error of kind usage that names the known endings.
Expected<OutputFormat> output_format_of(std::string_view path);

// "npy", "raw" or "nii", or one of them with .gz behind. An error of kind usage for another name.
Expected<OutputFormat> output_format_named(std::string_view name);
std::string_view name_of(OutputFormat format);

// What stands before the payload: nothing, or a multiple of 4096 bytes. origin: what a NIfTI file is told of its inputs;
// name: the output's, for errors of kind usage.
Expected<std::string> output_header(OutputFormat format, const ArrayDescription& array,
                                    const NiftiOrigin& origin, const std::string& name);

}  // namespace slab
