#include "client/formats/byte_source.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>

namespace slab {
namespace {

Expected<std::string> read_at(int descriptor, std::int64_t offset, std::size_t bytes,
                              const std::string& name) {
    std::string text(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t count =
            ::pread(descriptor, text.data() + done, bytes - done, offset + static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return std::unexpected(
                Error{ErrorKind::usage, fmt::format("{}: cannot be read", name), errno_text(errno), ""});
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    text.resize(done);
    return text;
}

}  // namespace

ByteSource bytes_of_file(int descriptor, const std::string& name) {
    return [descriptor, name](std::int64_t offset, std::size_t bytes) {
        return read_at(descriptor, offset, bytes, name);
    };
}

}  // namespace slab
