#include "client/formats/output_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace slab {
namespace {

constexpr mode_t everybody_less_umask = 0666;

// Where a symbolic link leads: it is the file behind it that is to be replaced.
std::string behind_links(const std::string& path) {
    std::array<char, PATH_MAX> real{};
    struct stat status {};
    const bool is_link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    return is_link && ::realpath(path.c_str(), real.data()) != nullptr ? std::string(real.data()) : path;
}

bool has_no_unnamed_files(int code) {
    return code == EOPNOTSUPP || code == EISDIR || code == EINVAL;
}

}  // namespace

Expected<OutputFile> OutputFile::create(const std::string& path, ExistingFile existing) {
    OutputFile file;
    file.existing_ = existing;
    if (auto found = file.find_folder(path); !found) {
        return std::unexpected(found.error());
    }
    if (auto opened = file.open_unnamed(); !opened) {
        return std::unexpected(opened.error());
    }
    return file;
}

Expected<OutputFile> OutputFile::create_in_place(const std::string& path, ExistingFile existing) {
    if (existing == ExistingFile::replace) {
        return create(path, existing);
    }
    OutputFile file;
    if (auto found = file.find_folder(path); !found) {
        return std::unexpected(found.error());
    }
    file.descriptor_.reset(::openat(file.folder_.get(), file.name_.c_str(),
                                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, everybody_less_umask));
    if (!file.descriptor_) {
        return errno == EEXIST ? file.exists() : file.failure("cannot be created", errno);
    }
    file.temporary_ = file.name_;
    file.in_place_ = true;
    return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), name_(std::move(other.name_)), existing_(other.existing_),
      folder_(std::move(other.folder_)), descriptor_(std::move(other.descriptor_)),
      temporary_(std::exchange(other.temporary_, {})), in_place_(other.in_place_) {}

OutputFile::~OutputFile() {
    if (!temporary_.empty()) {
        ::unlinkat(folder_.get(), temporary_.c_str(), 0);
    }
}

Expected<void> OutputFile::find_folder(const std::string& path) {
    path_ = path;
    const std::string target = existing_ == ExistingFile::replace ? behind_links(path) : path;
    const std::size_t slash = target.rfind('/');
    name_ = slash == std::string::npos ? target : target.substr(slash + 1);
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : target.substr(0, slash);
    if (name_.empty()) {
        return failure("has no name", EISDIR);
    }
    folder_.reset(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_) {
        return failure("has no folder that can be opened", errno);
    }
    return check_target();
}

Expected<void> OutputFile::check_target() const {
    struct stat status {};
    if (::fstatat(folder_.get(), name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? Expected<void>() : failure("cannot be written", errno);
    }
    if (S_ISDIR(status.st_mode) || (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))) {
        return std::unexpected(Error{ErrorKind::usage, path_ + ": an output must be a regular file",
                                     S_ISDIR(status.st_mode) ? "it is a folder" : "it is a pipe or a device",
                                     "Name a file."});
    }
    return existing_ == ExistingFile::refuse ? exists() : Expected<void>();
}

Expected<void> OutputFile::open_unnamed() {
    descriptor_.reset(::openat(folder_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, everybody_less_umask));
    if (descriptor_) {
        return {};
    }
    return has_no_unnamed_files(errno) ? open_temporary() : failure("cannot be created", errno);
}

Expected<void> OutputFile::open_temporary() {
    std::string name = fresh_name();
    descriptor_.reset(
        ::openat(folder_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, everybody_less_umask));
    if (!descriptor_) {
        return failure("cannot be created", errno);
    }
    temporary_ = std::move(name);
    return {};
}

Expected<void> OutputFile::write_header(std::string_view header) {
    const int flags = ::fcntl(descriptor_.get(), F_GETFL);
    ::fcntl(descriptor_.get(), F_SETFL, flags & ~O_DIRECT);
    std::size_t done = 0;
    while (done < header.size()) {
        const ssize_t count =
            ::pwrite(descriptor_.get(), header.data() + done, header.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return failure("cannot be written", errno);
        }
        done += static_cast<std::size_t>(count);
    }
    return {};
}

Expected<void> OutputFile::commit() {
    if (::fsync(descriptor_.get()) != 0) {
        return failure("cannot be written", errno);
    }
    if (auto named = give_name(); !named) {
        return named;
    }
    // Some file systems (FUSE) cannot sync a folder; the file is there all the same.
    if (::fsync(folder_.get()) != 0 && errno != EINVAL && errno != ENOSYS) {
        return failure("cannot be synced with its folder", errno);
    }
    return {};
}

Expected<void> OutputFile::commit_name() {
    return give_name();
}

Expected<void> OutputFile::give_name() {
    if (in_place_) {
        temporary_.clear();
        return {};
    }
    if (existing_ == ExistingFile::refuse) {
        return link_to(name_);
    }
    if (temporary_.empty()) {
        const std::string name = fresh_name();
        if (auto linked = link_to(name); !linked) {
            return linked;
        }
        temporary_ = name;
    }
    if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()) != 0) {
        return failure("cannot be replaced", errno);
    }
    temporary_.clear();
    return {};
}

Expected<void> OutputFile::link_to(const std::string& name) {
    int code = 0;
    if (temporary_.empty()) {
        const std::string self = fmt::format("/proc/self/fd/{}", descriptor_.get());
        code =
            ::linkat(AT_FDCWD, self.c_str(), folder_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    } else {
        code =
            ::renameat2(folder_.get(), temporary_.c_str(), folder_.get(), name.c_str(), RENAME_NOREPLACE) == 0
                ? 0
                : errno;
        if (code == EINVAL) {  // NFS: a hard link does not replace either
            code =
                ::linkat(folder_.get(), temporary_.c_str(), folder_.get(), name.c_str(), 0) == 0 ? 0 : errno;
            if (code == 0) {
                ::unlinkat(folder_.get(), temporary_.c_str(), 0);
            }
        }
        if (code == 0) {
            temporary_.clear();
        }
    }
    if (code == 0) {
        return {};
    }
    return code == EEXIST ? exists() : failure("cannot be given its name", code);
}

std::string OutputFile::fresh_name() const {
    std::uint32_t random = 0;
    if (::getrandom(&random, sizeof(random), 0) < 0) {
        random = static_cast<std::uint32_t>(descriptor_.get());
    }
    // A name has 255 bytes at most; the added part needs about 30.
    return fmt::format(".{}.slab-{}-{:08x}", name_.substr(0, 200), ::getpid(), random);
}

std::unexpected<Error> OutputFile::failure(std::string_view what, int code) const {
    const bool no_room = code == ENOSPC || code == EDQUOT;
    return std::unexpected(Error{no_room ? ErrorKind::refused : ErrorKind::usage,
                                 fmt::format("{}: the output {}", path_, what), errno_text(code),
                                 no_room ? "Make room on that disk, or write elsewhere."
                                         : "Name a file in a folder that exists and that you may write to."});
}

std::unexpected<Error> OutputFile::exists() const {
    return std::unexpected(Error{ErrorKind::usage, path_ + ": the output exists already",
                                 "nothing is overwritten unasked", "Give --overwrite, or another name."});
}

}  // namespace slab
