#pragma once

#include "client/formats/byte_source.hpp"
#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slab {

// What the header of a .npy file says (numpy/lib/format.py; versions 1.0, 2.0 and 3.0).
struct NpyHeader {
    ArrayDescription array;
    ByteOrder byte_order = ByteOrder::little;
    std::int64_t data_offset = 0;
};

inline constexpr std::string_view npy_magic = "\x93NUMPY";

// Where our own files' data starts: O_DIRECT needs a multiple of 4096, the format one of 64.
inline constexpr std::int64_t npy_data_offset = 4096;

// Reads a header. `name` is for errors, all of kind usage: no .npy file, cut short, object and structured arrays,
// element types and shapes that slabd has not. Whether the array is all there is not looked at.
Expected<NpyHeader> read_npy_header(const ByteSource& source, const std::string& name);

// A header of version 1.0 for an array in this machine's byte order, npy_data_offset bytes long.
std::string make_npy_header(const ArrayDescription& array);

}  // namespace slab
