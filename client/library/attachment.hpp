#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace slab {

// A result in the daemon's volume, mapped read-only into this process without a copy. The daemon does not
// reuse the bytes while this lives (the lock sits on the mapped file itself), not even after `drop`, and they
// stay readable when the daemon ends. Elements are in this machine's byte order, contiguous in
// description().order.
class Attachment {
  public:
    // Maps byte_count(array) bytes from offset on, at an address that gets huge pages where there are any.
    static Expected<Attachment> map(const ArrayDescription& array, UniqueDescriptor volume,
                                    std::int64_t offset);

    Attachment(Attachment&&) noexcept;
    Attachment& operator=(Attachment&&) noexcept;
    ~Attachment();

    // 2 MiB-aligned as extents are; null for an array without elements.
    const std::byte* data() const { return data_; }
    std::span<const std::byte> bytes() const {
        return {data_, static_cast<std::size_t>(byte_count(description_))};
    }
    const ArrayDescription& description() const { return description_; }

  private:
    struct Mapping;

    explicit Attachment(const ArrayDescription& array);

    ArrayDescription description_;
    std::unique_ptr<Mapping> mapping_;
    const std::byte* data_ = nullptr;
};

}  // namespace slab
