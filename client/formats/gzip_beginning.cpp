#include "client/formats/gzip_beginning.hpp"

#include <fmt/format.h>

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace slab {
namespace {

// What may stand in a file beside the bytes that are wanted: names, comments, extra fields, empty members.
constexpr std::int64_t most_overhead = 1 << 20;

constexpr uLong shortest_header = 10;  // RFC 1952, section 2.3

constexpr int gzip_only = 15 + 16;  // inflateInit2: the largest window; a gzip header, no zlib one

struct InflateEnd {
    z_stream& stream;
    ~InflateEnd() { ::inflateEnd(&stream); }
};

std::unexpected<Error> refuse(const std::string& name, std::string_view what, std::string because,
                              std::string remedy) {
    return std::unexpected(
        Error{ErrorKind::usage, fmt::format("{}: {}", name, what), std::move(because), std::move(remedy)});
}

class FileBytes {
  public:
    FileBytes(int descriptor, std::int64_t limit) : descriptor_(descriptor), limit_(limit) {}

    // The next ones; none at the end of the file or of the limit. Negative: errno.
    ssize_t read_into(z_stream& stream) {
        const auto wanted =
            static_cast<std::size_t>(std::min(static_cast<std::int64_t>(buffer_.size()), limit_ - position_));
        ssize_t count = 0;
        do {
            count = ::pread(descriptor_, buffer_.data(), wanted, position_);
        } while (count < 0 && errno == EINTR);
        position_ += std::max<ssize_t>(count, 0);
        stream.next_in = buffer_.data();
        stream.avail_in = static_cast<uInt>(std::max<ssize_t>(count, 0));
        return count;
    }
    std::int64_t position() const { return position_; }
    bool limit_is_reached() const { return position_ >= limit_; }

  private:
    int descriptor_;
    std::int64_t limit_;
    std::int64_t position_ = 0;
    std::array<unsigned char, 65536> buffer_;
};

}  // namespace

Expected<std::string> inflate_beginning(int descriptor, std::size_t bytes, const std::string& name) {
    z_stream stream{};
    if (::inflateInit2(&stream, gzip_only) != Z_OK) {
        return refuse(name, "cannot be inflated", "zlib has no memory", "Free some memory.");
    }
    const InflateEnd end{stream};
    FileBytes file(descriptor, static_cast<std::int64_t>(bytes) + most_overhead);
    std::string text(bytes, '\0');
    stream.next_out = reinterpret_cast<unsigned char*>(text.data());
    stream.avail_out = static_cast<uInt>(bytes);
    // Where a file may end: between members. Before the first one it may not.
    enum class Place { start, member, behind_a_member } place = Place::start;
    while (stream.avail_out > 0) {
        if (stream.avail_in == 0) {
            const ssize_t count = file.read_into(stream);
            if (count < 0) {
                return refuse(name, "cannot be read", errno_text(errno), "");
            }
            if (count == 0 && place == Place::behind_a_member) {
                break;
            }
            const std::size_t inflated = bytes - stream.avail_out;
            if (count == 0 && file.limit_is_reached()) {
                return refuse(name, "the gzip file cannot be used",
                              fmt::format("its first {} bytes inflate to {} only", file.position(), inflated),
                              "Pack the array again with gzip.");
            }
            if (count == 0) {
                return refuse(
                    name, "the gzip file is cut short",
                    fmt::format("it ends after {} inflated bytes, in the middle of its data", inflated),
                    "Write or copy the file again.");
            }
        }
        const int code = ::inflate(&stream, Z_NO_FLUSH);
        if (code == Z_STREAM_END) {
            place = Place::behind_a_member;
            ::inflateReset(&stream);
        } else if (code == Z_DATA_ERROR && place == Place::behind_a_member) {
            break;  // zeros or garbage behind the last member: gzip does not read them either
        } else if (code == Z_DATA_ERROR && place == Place::start && stream.total_in < gzip_magic.size() + 1) {
            return refuse(name, "this is no gzip file", "it does not begin as one",
                          "If the file is not packed, give it a name that does not end in .gz.");
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return refuse(name, "the gzip file is damaged",
                          fmt::format("zlib says: {}", stream.msg != nullptr ? stream.msg : "no memory"),
                          "Write or copy the file again.");
        } else if (stream.total_in >= shortest_header) {
            place = Place::member;
        }
    }
    text.resize(bytes - stream.avail_out);
    return text;
}

}  // namespace slab
