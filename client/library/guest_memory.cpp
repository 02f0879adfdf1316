#include "client/library/guest_memory.hpp"

#include "common/volume/aligned_mapping.hpp"
#include "common/volume/layout.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slab {
namespace {

constexpr int advice_collapse = 25;  // MADV_COLLAPSE of Linux 6.1; Debian 12's C library does not name it

// With huge pages where there are any. 0, or an errno value.
int populate(std::byte* begin, std::int64_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    bool is_huge = true;
    for (std::int64_t offset = 0; offset < bytes; offset += extent_bytes) {
        std::byte* const extent = begin + offset;
        const auto size = static_cast<std::size_t>(std::min(extent_bytes, bytes - offset));
        // A small page first: MADV_COLLAPSE answers EINVAL for an extent that nobody has touched.
        if (is_huge && ::madvise(extent, page, MADV_POPULATE_WRITE) == 0 &&
            ::madvise(extent, size, advice_collapse) == 0) {
            continue;
        }
        is_huge = false;
        if (::madvise(extent, size, MADV_POPULATE_WRITE) != 0) {
            return errno;
        }
    }
    return 0;
}

}  // namespace

Expected<GuestMemory> GuestMemory::map(UniqueDescriptor segment, std::int64_t bytes) {
    struct stat status {};
    if (bytes <= 0 || ::fstat(segment.get(), &status) != 0 || status.st_size < bytes) {
        return std::unexpected(Error{ErrorKind::failed, "the guests' memory cannot be mapped",
                                     "the daemon's answer does not fit what it sent", ""});
    }
    auto region = map_aligned(segment.get(), MappingAccess::read_write, 0, bytes);
    if (!region) {
        return std::unexpected(region.error());
    }
    if (const int code = populate(static_cast<std::byte*>(region->get_address()), bytes); code != 0) {
        return std::unexpected(
            Error{ErrorKind::refused, "the machine has too little memory for the output",
                  fmt::format("{} bytes are needed at once: {}", bytes, errno_text(code)),
                  "Write it to a file, so that it streams, or wait for other programs to end."});
    }
    return GuestMemory(std::move(*region));
}

}  // namespace slab
