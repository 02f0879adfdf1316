#include "daemon/journal/whole_file.hpp"

#include "common/recording/write_recording.hpp"

#include <array>
#include <cerrno>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace slab::daemon {

std::expected<std::string, int> whole_file(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        return std::unexpected(errno);
    }
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count =
            ::pread(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return std::unexpected(errno);
        }
        if (count == 0) {
            break;  // it became shorter
        }
        done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
}

int write_whole(int descriptor, std::int64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(descriptor, bytes.data(), bytes.size(), offset);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? errno : ENOSPC;
        }
        const auto written = bytes.substr(0, static_cast<std::size_t>(count));
        record_write(descriptor, offset, std::as_bytes(std::span(written)));
        offset += count;
        bytes.remove_prefix(written.size());
    }
    return 0;
}

std::string path_of(int descriptor) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t count = ::readlink(link.c_str(), path.data(), path.size());
    return count > 0 ? std::string(path.data(), static_cast<std::size_t>(count)) : "journal";
}

}  // namespace slab::daemon
