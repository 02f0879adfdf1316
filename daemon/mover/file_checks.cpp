#include "daemon/mover/file_checks.hpp"

#include "common/pausing/fault_point.hpp"
#include "common/units/byte_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

FileIdentity identity_of(const struct stat& status) {
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
            static_cast<std::int64_t>(status.st_size),
            static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec,
            status.st_nlink == 0 ? 1U : 0U};
}

std::int64_t free_bytes(int descriptor) {
    struct statvfs filesystem {};
    return ::fstatvfs(descriptor, &filesystem) == 0
               ? static_cast<std::int64_t>(filesystem.f_bavail * filesystem.f_frsize)
               : 0;
}

// The header comes last, and a disk that is full then would cost a job that has all its bytes in the file. Zeros are no
// header.
bool take_header(int descriptor, std::int64_t bytes) {
    constexpr std::array<std::byte, 4096> zeros{};
    bytes = std::min(bytes, static_cast<std::int64_t>(longest_file_header));
    for (std::int64_t at = 0; at < bytes; at += static_cast<std::int64_t>(zeros.size())) {
        const auto size =
            static_cast<std::size_t>(std::min(bytes - at, static_cast<std::int64_t>(zeros.size())));
        if (::pwrite(descriptor, zeros.data(), size, at) < 0) {
            return false;
        }
    }
    return true;
}

Error no_room(int descriptor, std::int64_t bytes) {
    return {ErrorKind::refused, "the output does not fit on its file system",
            fmt::format("it needs {}, {} are free", byte_size_text(bytes),
                        byte_size_text(free_bytes(descriptor))),
            "Free space there, write to another disk, or let the job wait (--wait-for-space)."};
}

}  // namespace

Expected<FileIdentity> check_input(int descriptor, const InputBytes& input, std::size_t number) {
    const auto bad = [number](std::string_view what, std::string because, std::string remedy) {
        return std::unexpected(Error{ErrorKind::usage, fmt::format("input {} {}", number + 1, what),
                                     std::move(because), std::move(remedy)});
    };
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        return bad("is not a regular file", "", "Give a file, or an array in memory.");
    }
    if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        return bad("is not open for reading", "", "");
    }
    const bool too_short =
        status.st_size < input.file_offset || status.st_size - input.file_offset < input.bytes;
    if (input.codec == Codec::none && too_short) {
        return bad("is shorter than its array",
                   fmt::format("the array needs {} bytes from byte {} on, the file has {} bytes", input.bytes,
                               input.file_offset, status.st_size),
                   "The file may be cut short: compare it with its source.");
    }
    return identity_of(status);
}

Error ran_full(int descriptor) {
    struct stat status {};
    const bool known = ::fstat(descriptor, &status) == 0;
    const std::int64_t missing =
        known ? std::max<std::int64_t>(0, status.st_size - status.st_blocks * 512) : 0;
    return {ErrorKind::failed, "the output's file system is full",
            fmt::format("it needs {} more, {} are free", byte_size_text(missing),
                        byte_size_text(free_bytes(descriptor))),
            "Free space there, or write to another disk."};
}

std::expected<FileIdentity, OutputTrouble> reserve_output(int descriptor, const OutputBytes& output) {
    const auto bad = [](std::string_view what, std::string because, std::string remedy) {
        return std::unexpected(OutputTrouble{
            {ErrorKind::usage, fmt::format("the output {}", what), std::move(because), std::move(remedy)}});
    };
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        return bad("cannot be used", errno_text(errno), "");
    }
    if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        return bad("is not open for writing", "", "");
    }
    if (output.is_sequential != 0) {
        return identity_of(status);
    }
    if (!S_ISREG(status.st_mode)) {
        return bad("is not a regular file", "", "Name a file that can be created.");
    }
    const auto shortage = [descriptor, &output,
                           &status](std::int64_t bytes) -> std::expected<FileIdentity, OutputTrouble> {
        if (output.is_begun != 0) {
            return identity_of(status);  // refusing would empty it
        }
        return std::unexpected(OutputTrouble{no_room(descriptor, bytes), Shortage::no_space});
    };
    std::int64_t end = 0;
    if (__builtin_add_overflow(output.file_offset, output.bytes, &end)) {
        return shortage(output.bytes);
    }
    int failure = fault_point("mover-reserve");
    if (failure == 0 && ::fallocate(descriptor, 0, 0, end) == 0) {
        ::fstat(descriptor, &status);
        return identity_of(status);
    }
    failure = failure == 0 ? errno : failure;
    if (failure == EOPNOTSUPP) {
        // What is free now is no promise: another writer may take it. A full disk then shows while writing.
        if (status.st_blocks * 512 + free_bytes(descriptor) < end) {
            return shortage(end);
        }
        const bool was_empty = status.st_size == 0;
        if (::ftruncate(descriptor, end) == 0 &&
            (!was_empty || take_header(descriptor, output.file_offset))) {
            ::fstat(descriptor, &status);
            return identity_of(status);
        }
        failure = errno;
    }
    if (failure == ENOSPC || failure == EDQUOT || failure == EFBIG) {
        return shortage(end);
    }
    return bad("cannot be given its size", errno_text(failure), "");
}

}  // namespace slab::daemon
