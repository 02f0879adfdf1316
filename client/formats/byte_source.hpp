#pragma once

#include "common/errors/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace slab {

// The bytes of a file from offset on, unpacked if it is packed: fewer than asked for at its end.
using ByteSource = std::function<Expected<std::string>(std::int64_t offset, std::size_t bytes)>;

// Bytes of an open regular file.
ByteSource bytes_of_file(int descriptor, const std::string& name);

}  // namespace slab
