#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "common/volume/layout.hpp"

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace slab::daemon {

enum class SegmentName : std::uint8_t {
    kept,     // the next supervisor of this instance can adopt it
    removed,  // unlinked at once: the memory goes with the last process, whatever kills it
};

struct SegmentRequest {
    std::string instance;
    std::int64_t bytes = 0;
    SegmentName name = SegmentName::kept;
};

// The shared-memory object with the volume, mapped read-write at one address for this process and all it forks.
// Movable, not copyable; unlinks nothing by itself (see remove_name).
class VolumeSegment {
  public:
    // Creates the object, or adopts the one of this instance that a dead supervisor left, when it has this size and
    // layout. One of another size is replaced (processes attached to it keep it); one of another layout version,
    // another user, or too little room in /dev/shm, are errors. The caller holds the instance's lock.
    static Expected<VolumeSegment> open(const SegmentRequest& request);

    bool adopted() const { return adopted_; }
    const std::string& name() const { return name_; }
    int descriptor() const { return object_.get_mapping_handle().handle; }
    std::byte* data() const { return static_cast<std::byte*>(region_.get_address()); }
    std::int64_t bytes() const { return header().volume_bytes; }
    std::int64_t extent_count() const { return header().extent_count; }
    std::int64_t data_offset() const { return header().data_offset; }

    const VolumeHeader& header() const { return *reinterpret_cast<const VolumeHeader*>(data()); }
    // The supervisor alone may write these.
    std::span<ExtentRecord> extents() const;
    std::span<JobRecord> job_records() const;
    std::span<std::uint64_t> tile_bits() const;  // of all areas
    void set_last_job(std::uint64_t job) const;

    // In a child: the header's region becomes read-only.
    void protect_header() const;

    // A clean stop leaves no name behind.
    void remove_name();

  private:
    VolumeSegment(std::string name, boost::interprocess::shared_memory_object object,
                  boost::interprocess::mapped_region region, bool adopted)
        : name_(std::move(name)), object_(std::move(object)), region_(std::move(region)), adopted_(adopted) {}

    std::string name_;
    boost::interprocess::shared_memory_object object_;
    boost::interprocess::mapped_region region_;
    bool adopted_;
};

// Of this machine: what shares ("40%") in the settings are of.
std::int64_t memory_bytes();

// The size of a volume by the setting volume.size, in bytes. A share ("40%") of the memory is cut to what /dev/shm
// has free; a size that was asked for in bytes and does not fit there is an error with both numbers.
Expected<std::int64_t> volume_bytes_for(const std::string& size);

}  // namespace slab::daemon
