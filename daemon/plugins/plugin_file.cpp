#include "daemon/plugins/plugin_file.hpp"

#include "common/files/memory_seals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

constexpr off_t largest_library = off_t{1} << 30;

#ifdef MFD_EXEC
constexpr unsigned memfd_exec = MFD_EXEC;
#else
constexpr unsigned memfd_exec = 0x0010U;  // since Linux 6.3
#endif

// Who could change it. Empty: root and this user alone.
std::string foreign_hand(const struct stat& status) {
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return fmt::format("belongs to user {}", status.st_uid);
    }
    // In a folder with the sticky bit nobody can rename or remove what is another's.
    const bool is_sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    if (!is_sticky && (status.st_mode & S_IWOTH) != 0) {
        return "can be written by everybody";
    }
    if (!is_sticky && (status.st_mode & S_IWGRP) != 0) {
        return fmt::format("can be written by group {}", status.st_gid);
    }
    return {};
}

std::optional<Error> check_folders(const std::string& path, const std::filesystem::path& real) {
    for (std::filesystem::path folder = real.parent_path();; folder = folder.parent_path()) {
        struct stat status {};
        if (::lstat(folder.c_str(), &status) != 0) {
            return plugin_refused(path, fmt::format("{}: {}", folder.string(), errno_text(errno)), "");
        }
        if (const std::string hand = foreign_hand(status); !hand.empty()) {
            return plugin_refused(
                path,
                fmt::format("its folder {} {}: others could put another file there", folder.string(), hand),
                fmt::format("Move it to a folder that root or you own, or: chmod go-w {}", folder.string()));
        }
        if (folder == folder.root_path()) {
            return std::nullopt;
        }
    }
}

// FNV-1a, to tell one build from another.
std::string digest_of(const std::string& bytes) {
    std::uint64_t value = 0xcbf29ce484222325ULL;
    for (const char c : bytes) {
        value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return fmt::format("{:016x}", value);
}

Expected<std::string> content_of(const std::string& path, int file, off_t size) {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t count = ::read(file, bytes.data() + have, bytes.size() - have);
        if (count <= 0) {
            return std::unexpected(plugin_refused(
                path, count < 0 ? errno_text(errno) : "it became shorter while it was read", ""));
        }
        have += static_cast<std::size_t>(count);
    }
    return bytes;
}

Expected<UniqueDescriptor> sealed(const std::string& path, const std::string& bytes) {
    const std::string name = std::filesystem::path(path).filename().string().substr(0, 200);
    UniqueDescriptor memory(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | memfd_exec));
    if (!memory) {
        memory.reset(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
    }
    std::size_t written = 0;
    while (memory && written < bytes.size()) {
        const ssize_t count = ::write(memory.get(), bytes.data() + written, bytes.size() - written);
        if (count < 0) {
            break;
        }
        written += static_cast<std::size_t>(count);
    }
    if (!memory || written < bytes.size() || !seal_memory(memory.get())) {
        return std::unexpected(
            plugin_refused(path, "it cannot be copied to memory: " + errno_text(errno), ""));
    }
    return memory;
}

}  // namespace

Error plugin_refused(const std::string& path, std::string because, std::string remedy) {
    return {ErrorKind::refused, fmt::format("the plug-in {} is refused", path), std::move(because),
            std::move(remedy)};
}

std::vector<std::string> plugin_files_at(const std::string& path) {
    std::error_code failure;
    if (!std::filesystem::is_directory(path, failure)) {
        return {path};
    }
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path, failure)) {
        if (entry.path().extension() == ".so") {
            files.push_back(entry.path().string());
        }
    }
    std::ranges::sort(files);
    return files;
}

Expected<PluginImage> read_plugin_file(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    if (!real) {
        const int failure = errno;
        return std::unexpected(plugin_refused(
            path, errno_text(failure),
            failure == EACCES
                ? "Put it where the daemon's user may read it; the systemd units hide /home and /tmp."
                : "Name a library that is there."));
    }
    // What the kernel would wait for or do at an open: a pipe, a device.
    const UniqueDescriptor file(
        ::open(real.get(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        return std::unexpected(
            plugin_refused(path, errno_text(errno), "Let the daemon's user read it: chmod a+r FILE."));
    }
    if (!S_ISREG(status.st_mode) || status.st_size > largest_library) {
        return std::unexpected(plugin_refused(
            path, S_ISREG(status.st_mode) ? "it is larger than 1 GiB" : "it is no regular file", ""));
    }
    if (const std::string hand = foreign_hand(status); !hand.empty()) {
        return std::unexpected(
            plugin_refused(path, fmt::format("the file {}: its code would run in the daemon's workers", hand),
                           status.st_uid != 0 && status.st_uid != ::geteuid()
                               ? "Have root install it, or build it as the daemon's user."
                               : fmt::format("Take the right away: chmod go-w {}", path)));
    }
    if (auto problem = check_folders(path, real.get())) {
        return std::unexpected(std::move(*problem));
    }
    const auto bytes = content_of(path, file.get(), status.st_size);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    auto memory = sealed(path, *bytes);
    if (!memory) {
        return std::unexpected(memory.error());
    }
    return PluginImage{std::move(*memory), digest_of(*bytes)};
}

}  // namespace slab::daemon
