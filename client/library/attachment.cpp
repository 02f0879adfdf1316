#include "client/library/attachment.hpp"

#include "common/volume/aligned_mapping.hpp"
#include "common/volume/layout.hpp"

#include <boost/interprocess/mapped_region.hpp>
#include <sys/stat.h>

#include <cstdint>

namespace slab {
namespace {

Error cannot_map(std::string because) {
    return {ErrorKind::failed, "the result cannot be mapped", std::move(because),
            "Fetch it into a file instead: slab fetch ID -o FILE."};
}

}  // namespace

struct Attachment::Mapping {
    boost::interprocess::mapped_region region;
};

Attachment::Attachment(const ArrayDescription& array) : description_(array) {}
Attachment::Attachment(Attachment&&) noexcept = default;
Attachment& Attachment::operator=(Attachment&&) noexcept = default;
Attachment::~Attachment() = default;

Expected<Attachment> Attachment::map(const ArrayDescription& array, UniqueDescriptor volume,
                                     std::int64_t offset) {
    const std::optional<std::int64_t> bytes = checked_byte_count(array);
    struct stat status {};
    if (!bytes || offset < 0 || ::fstat(volume.get(), &status) != 0 || status.st_size < offset ||
        status.st_size - offset < *bytes) {
        return std::unexpected(cannot_map("the daemon's answer does not fit its volume"));
    }
    Attachment result(array);
    if (*bytes == 0) {
        return result;
    }
    // File and address must be congruent modulo 2 MiB, so the mapping starts at the extent that holds the
    // offset.
    const std::int64_t start = offset / extent_bytes * extent_bytes;
    auto region = map_aligned(volume.get(), MappingAccess::read_only, start, offset - start + *bytes);
    if (!region) {
        return std::unexpected(cannot_map(region.error().because));
    }
    result.mapping_ = std::make_unique<Mapping>();
    result.mapping_->region.swap(*region);
    result.data_ = static_cast<const std::byte*>(result.mapping_->region.get_address()) + (offset - start);
    // The mapping holds the open file description, and with it the read lock; the descriptor is not needed.
    return result;
}

}  // namespace slab
