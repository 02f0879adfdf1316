#include "common/recording/write_recording.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace slab {
namespace {

const char* record_folder() {
    static const char* const folder = std::getenv("SLABD_RECORD_DIR");
    return folder;
}

bool is_recording() {
    static const bool recording = record_folder() != nullptr;
    return recording;
}

// This process's log. After a fork the number is the parent's log, or (children close what they inherit) anything: it
// is forgotten, not closed.
int log_descriptor() {
    static int descriptor = -1;
    static pid_t owner = -1;
    if (const pid_t self = ::getpid(); owner != self) {
        const std::string path = std::string(record_folder()) + "/" + std::to_string(self) + ".log";
        descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        owner = self;
    }
    return descriptor;
}

std::uint64_t monotonic_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

struct Place {
    std::int64_t offset = 0;
    std::int64_t length = 0;
};

void append_frame(RecordedKind kind, int file, Place place, std::string_view name,
                  std::span<const std::byte> data) {
    struct stat status {};
    if (::fstat(file, &status) != 0) {
        return;
    }
    RecordedFrame frame{monotonic_ns(),
                        static_cast<std::uint32_t>(kind),
                        static_cast<std::uint32_t>(name.size()),
                        static_cast<std::uint64_t>(status.st_dev),
                        static_cast<std::uint64_t>(status.st_ino),
                        place.offset,
                        place.length};
    const std::array<iovec, 3> parts{{{&frame, sizeof(frame)},
                                      {const_cast<char*>(name.data()), name.size()},
                                      {const_cast<std::byte*>(data.data()), data.size()}}};
    [[maybe_unused]] const ssize_t ignored =
        ::writev(log_descriptor(), parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

void record_create(int descriptor) {
    if (!is_recording()) [[likely]] {
        return;
    }
    append_frame(RecordedKind::create, descriptor, {}, {}, {});
}

void record_write(int descriptor, std::int64_t offset, std::span<const std::byte> data) {
    if (!is_recording()) [[likely]] {
        return;
    }
    append_frame(RecordedKind::write, descriptor, {offset, static_cast<std::int64_t>(data.size())}, {}, data);
}

void record_truncate(int descriptor, std::int64_t length) {
    if (!is_recording()) [[likely]] {
        return;
    }
    append_frame(RecordedKind::truncate, descriptor, {0, length}, {}, {});
}

void record_rename(int folder, std::string_view from, std::string_view to) {
    if (!is_recording()) [[likely]] {
        return;
    }
    struct stat renamed {};
    ::fstatat(folder, std::string(to).c_str(), &renamed, AT_SYMLINK_NOFOLLOW);
    const std::string names = std::string(from) + '\0' + std::string(to);
    append_frame(RecordedKind::rename, folder, {static_cast<std::int64_t>(renamed.st_ino), 0}, names, {});
}

std::uint64_t record_sync_begin() {
    return is_recording() ? monotonic_ns() : 0;
}

void record_sync(int descriptor, std::uint64_t begun_ns) {
    if (!is_recording()) [[likely]] {
        return;
    }
    append_frame(RecordedKind::sync, descriptor, {static_cast<std::int64_t>(begun_ns), 0}, {}, {});
}

}  // namespace slab
