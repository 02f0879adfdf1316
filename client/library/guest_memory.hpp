#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <boost/interprocess/mapped_region.hpp>

#include <cstddef>
#include <cstdint>

namespace slab {

// The segment that the guests of a job write, mapped into this process, with memory behind all of it: a plain touch
// would be a signal where memory is short, this is an error.
class GuestMemory {
  public:
    static Expected<GuestMemory> map(UniqueDescriptor segment, std::int64_t bytes);

    std::byte* data() const { return static_cast<std::byte*>(region_.get_address()); }
    std::int64_t bytes() const { return static_cast<std::int64_t>(region_.get_size()); }

  private:
    explicit GuestMemory(boost::interprocess::mapped_region region) : region_(std::move(region)) {}

    boost::interprocess::mapped_region region_;
};

}  // namespace slab
