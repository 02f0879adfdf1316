#include "client/library/attachment.hpp"

#include "common/volume/layout.hpp"

#include <boost/interprocess/mapped_region.hpp>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>

namespace slab {
namespace {

namespace ipc = boost::interprocess;

// What mapped_region wants of a mappable thing, for a descriptor that came over a socket and has no name.
class VolumeDescriptor {
  public:
    explicit VolumeDescriptor(int descriptor) : descriptor_(descriptor) {}
    ipc::mapping_handle_t get_mapping_handle() const { return {descriptor_, false}; }

  private:
    int descriptor_;
};

// Address space that starts on a multiple of 2 MiB; mapping over it with MAP_FIXED replaces it page by page.
// Null when there is none.
void* reserve_aligned(std::size_t bytes) {
    const auto alignment = static_cast<std::size_t>(extent_bytes);
    void* const reserved =
        ::mmap(nullptr, bytes + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) {
        return nullptr;
    }
    auto* const begin = static_cast<std::byte*>(reserved);
    const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(begin) % alignment;
    const std::size_t before = misaligned == 0 ? 0 : alignment - misaligned;
    const std::size_t after = alignment - before;
    if (before > 0) {
        ::munmap(begin, before);
    }
    if (after > 0) {
        ::munmap(begin + before + bytes, after);
    }
    return begin + before;
}

Error cannot_map(std::string because) {
    return {ErrorKind::failed, "the result cannot be mapped", std::move(because),
            "Fetch it into a file instead: slab fetch ID -o FILE."};
}

}  // namespace

struct Attachment::Mapping {
    ipc::mapped_region region;
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
    const auto page = static_cast<std::int64_t>(ipc::mapped_region::get_page_size());
    const auto length = static_cast<std::size_t>(round_up(offset - start + *bytes, page));
    void* const address = reserve_aligned(length);
    if (address == nullptr) {
        return std::unexpected(
            cannot_map(fmt::format("no address space for {} bytes: {}", length, errno_text(errno))));
    }
    try {
        result.mapping_ = std::make_unique<Mapping>();
        ipc::mapped_region region(VolumeDescriptor(volume.get()), ipc::read_only, start, length, address,
                                  MAP_FIXED);
        result.mapping_->region.swap(region);
    } catch (const ipc::interprocess_exception& failure) {
        ::munmap(address, length);
        return std::unexpected(cannot_map(failure.what()));
    }
    ::madvise(address, length, MADV_DONTDUMP);
    result.data_ = static_cast<const std::byte*>(result.mapping_->region.get_address()) + (offset - start);
    // The mapping holds the open file description, and with it the read lock; the descriptor is not needed.
    return result;
}

}  // namespace slab
