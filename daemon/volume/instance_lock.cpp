#include "daemon/volume/instance_lock.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

namespace slab::daemon {
namespace {

using Clock = std::chrono::steady_clock;

Error lock_error(const std::string& path, std::string because, std::string remedy) {
    return {ErrorKind::failed, fmt::format("the instance's lock '{}' cannot be taken", path),
            std::move(because), std::move(remedy)};
}

// The lock may have been taken on a file whose name its last holder has just removed: then it locks nothing.
bool is_still_named(int descriptor, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

Expected<UniqueDescriptor> lock_file(const std::string& path, Clock::time_point deadline,
                                     std::string_view holder) {
    for (bool told = false;;) {
        UniqueDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file) {
            const int code = errno;
            return std::unexpected(
                lock_error(path, errno_text(code),
                           code == EACCES ? "Start it with another --instance: this name is another user's."
                                          : "Look at /dev/shm."));
        }
        if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
            if (is_still_named(file.get(), path)) {
                return file;
            }
            continue;
        }
        if (Clock::now() >= deadline) {
            return std::unexpected(lock_error(path, fmt::format("{} of this instance still runs", holder),
                                              "Stop it, or start this one with another --instance."));
        }
        if (!told) {
            spdlog::info("waiting for {} of this instance to end", holder);
            told = true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace

Expected<InstanceLock> InstanceLock::take(const std::string& instance, std::chrono::milliseconds patience) {
    InstanceLock lock;
    lock.supervisor_path_ = fmt::format("/dev/shm/slabd.{}.supervisor", instance);
    lock.children_path_ = fmt::format("/dev/shm/slabd.{}.children", instance);
    // One that is being restarted may still be on its way out.
    constexpr auto for_a_leaving_one = std::chrono::milliseconds(500);
    auto supervisor = lock_file(lock.supervisor_path_, Clock::now() + for_a_leaving_one, "a daemon");
    if (!supervisor) {
        return std::unexpected(supervisor.error());
    }
    lock.supervisor_ = std::move(*supervisor);
    auto children =
        lock_file(lock.children_path_, Clock::now() + patience, "a process of a daemon that has died");
    if (!children) {
        return std::unexpected(children.error());
    }
    lock.children_ = std::move(*children);
    // From exclusive to shared: the children inherit this description, and the lock lasts as long as one of them.
    ::flock(lock.children_.get(), LOCK_SH);
    return lock;
}

void InstanceLock::remove_names() {
    ::unlink(children_path_.c_str());
    ::unlink(supervisor_path_.c_str());
}

}  // namespace slab::daemon
