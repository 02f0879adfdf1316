#include "common/volume/aligned_mapping.hpp"

#include "common/volume/layout.hpp"

#include <boost/interprocess/exceptions.hpp>

#include <cerrno>
#include <sys/mman.h>

namespace slab {
namespace {

// What boost::interprocess::mapped_region asks of a memory-mappable object.
class DescriptorMemory {
  public:
    explicit DescriptorMemory(int descriptor) : descriptor_(descriptor) {}
    boost::interprocess::mapping_handle_t get_mapping_handle() const { return {descriptor_, false}; }

  private:
    int descriptor_;
};

}  // namespace

Expected<boost::interprocess::mapped_region> map_aligned(int descriptor, MappingAccess access,
                                                         std::int64_t offset, std::int64_t bytes) {
    namespace bip = boost::interprocess;
    const auto failure = [](int code) {
        return std::unexpected(
            Error{ErrorKind::failed, "shared memory cannot be mapped", errno_text(code), ""});
    };
    // Reserve addresses with room to align, map over them, give the rest back.
    const auto size = static_cast<std::size_t>(bytes);
    const auto align = static_cast<std::size_t>(extent_bytes);
    void* const reserved =
        ::mmap(nullptr, size + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) {
        return failure(errno);
    }
    const auto base = reinterpret_cast<std::uintptr_t>(reserved);
    const std::size_t remainder = static_cast<std::size_t>(offset) % align;
    const std::uintptr_t start = (base + align - 1 - remainder) / align * align + remainder;
    try {
        bip::mapped_region region(DescriptorMemory(descriptor),
                                  access == MappingAccess::read_write ? bip::read_write : bip::read_only,
                                  offset, size, reinterpret_cast<void*>(start), MAP_FIXED);
        if (start > base) {
            ::munmap(reserved, start - base);
        }
        const std::uintptr_t page = bip::mapped_region::get_page_size();
        const std::uintptr_t end = (start + size + page - 1) / page * page;
        if (base + size + align > end) {
            ::munmap(reinterpret_cast<void*>(end), base + size + align - end);
        }
        ::madvise(region.get_address(), size, MADV_DONTDUMP);
        return region;
    } catch (const bip::interprocess_exception& problem) {
        ::munmap(reserved, size + align);
        return failure(problem.get_native_error());
    }
}

}  // namespace slab
