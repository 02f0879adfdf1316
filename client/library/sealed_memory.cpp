#include "client/library/sealed_memory.hpp"

#include "common/files/memory_seals.hpp"
#include "common/units/byte_size.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace slab {

Expected<UniqueDescriptor> sealed_copy_of(std::span<const std::byte> bytes) {
    const auto fail = [&bytes] {
        const int code = errno;
        return std::unexpected(Error{ErrorKind::failed, "an input array cannot be copied for the daemon",
                                     byte_size_text(static_cast<std::int64_t>(bytes.size())) +
                                         " of memory are needed: " + errno_text(code),
                                     "Save the array to a file and pass that: files are not copied."});
    };
    UniqueDescriptor memfd(::memfd_create("slab-array", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memfd) {
        return fail();
    }
    std::size_t done = 0;
    while (done < bytes.size()) {
        // One write moves 2 GiB at most.
        const std::size_t part = std::min(bytes.size() - done, std::size_t{1} << 30);
        const ssize_t count = ::write(memfd.get(), bytes.data() + done, part);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return fail();
        }
        done += static_cast<std::size_t>(count);
    }
    if (!seal_memory(memfd.get())) {
        return fail();
    }
    return memfd;
}

}  // namespace slab
