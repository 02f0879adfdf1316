#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <cstddef>
#include <span>

namespace slab {

// A memfd that holds a copy of these bytes and can no longer change: how an array without a file travels.
Expected<UniqueDescriptor> sealed_copy_of(std::span<const std::byte> bytes);

}  // namespace slab
