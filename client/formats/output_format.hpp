#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slab {

// How a result is written; the ending of the file's name chooses.
enum class OutputFormat : std::uint8_t {
    npy,  // .npy
    raw,  // .raw, .bin: the elements and nothing else
};

// An error of kind usage that names the known endings.
Expected<OutputFormat> output_format_of(std::string_view path);

// "npy" or "raw". An error of kind usage for another name.
Expected<OutputFormat> output_format_named(std::string_view name);
std::string_view name_of(OutputFormat format);

// Where the payload begins: a multiple of 4096.
std::int64_t payload_offset_of(OutputFormat format);

// What stands before the payload: payload_offset_of(format) bytes.
std::string output_header(OutputFormat format, const ArrayDescription& array);

}  // namespace slab
