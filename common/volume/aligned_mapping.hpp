#pragma once

#include "common/errors/error.hpp"

#include <boost/interprocess/mapped_region.hpp>

#include <cstdint>

namespace slab {

enum class MappingAccess : std::uint8_t { read_only, read_write };

// Maps bytes [offset, offset + bytes) of a shared-memory descriptor, at an address that is congruent to the offset
// modulo 2 MiB: only then can the kernel map it with huge pages. The offset is a multiple of the page size. Left out
// of core dumps. The descriptor may be closed afterwards.
Expected<boost::interprocess::mapped_region> map_aligned(int descriptor, MappingAccess access,
                                                         std::int64_t offset, std::int64_t bytes);

}  // namespace slab
