#include "daemon/volume/reader_locks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace slab::daemon {
namespace {

struct flock lock_over(ByteRange range, short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = range.begin;
    lock.l_len = range.end - range.begin;
    return lock;
}

}  // namespace

Expected<UniqueDescriptor> open_with_read_lock(int volume, ByteRange range, ReaderAccess access) {
    const std::string path = fmt::format("/proc/self/fd/{}", volume);
    const int mode = access == ReaderAccess::read_write ? O_RDWR : O_RDONLY;
    UniqueDescriptor reader(::open(path.c_str(), mode | O_CLOEXEC));
    struct flock lock = lock_over(range, F_RDLCK);
    if (!reader || ::fcntl(reader.get(), F_OFD_SETLK, &lock) != 0) {
        return std::unexpected(Error{ErrorKind::failed, "the volume cannot be opened for a reader",
                                     errno_text(errno),
                                     "Look at the daemon's limit of open files (LimitNOFILE)."});
    }
    return reader;
}

std::vector<ByteRange> locked_parts(int volume, ByteRange range) {
    std::vector<ByteRange> found;
    std::vector<ByteRange> untested{range};
    while (!untested.empty()) {
        const ByteRange part = untested.back();
        untested.pop_back();
        if (part.begin >= part.end) {
            continue;
        }
        struct flock lock = lock_over(part, F_WRLCK);
        if (::fcntl(volume, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) {
            continue;
        }
        // One lock that is in the way, anywhere in the part: what lies before and after it is still untested.
        const ByteRange taken{std::max(part.begin, static_cast<std::int64_t>(lock.l_start)),
                              lock.l_len == 0
                                  ? part.end
                                  : std::min(part.end, static_cast<std::int64_t>(lock.l_start + lock.l_len))};
        found.push_back(taken);
        untested.push_back({part.begin, taken.begin});
        untested.push_back({taken.end, part.end});
    }
    std::ranges::sort(found, {}, &ByteRange::begin);
    return found;
}

}  // namespace slab::daemon
