#include "client/command_line/machine_checks.hpp"

#include "common/errors/error.hpp"
#include "common/protocol/socket_address.hpp"
#include "common/units/byte_size.hpp"

#include <fmt/format.h>

#include <linux/io_uring.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

namespace slab {
namespace {

using Level = MachineCheck::Level;

std::int64_t memory_bytes() {
    return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
}

MachineCheck check_kernel() {
    utsname system{};
    int major = 0;
    int minor = 0;
    ::uname(&system);
    const bool read = std::sscanf(system.release, "%d.%d", &major, &minor) == 2;
    if (read && (major > 6 || (major == 6 && minor >= 1))) {
        return {"kernel", Level::ok, system.release, ""};
    }
    return {"kernel", Level::warn, fmt::format("{}: before 6.1 there is no MADV_COLLAPSE", system.release),
            "The volume gets small pages, and its first touch is slow; a kernel from 6.1 on has huge ones."};
}

MachineCheck check_shared_memory() {
    struct statvfs status {};
    if (::statvfs("/dev/shm", &status) != 0) {
        return {"shared memory", Level::fail, "/dev/shm: " + errno_text(errno),
                "Mount it: mount -t tmpfs tmpfs /dev/shm."};
    }
    const auto size = static_cast<std::int64_t>(status.f_blocks * status.f_frsize);
    const auto available = static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
    const std::int64_t memory = memory_bytes();
    const std::string found = fmt::format("/dev/shm has {}, {} free; memory is {}", byte_size_text(size),
                                          byte_size_text(available), byte_size_text(memory));
    constexpr std::int64_t smallest_useful = std::int64_t{64} << 20;
    if (available < smallest_useful) {
        return {"shared memory", Level::fail, found,
                "Free some (ls /dev/shm), or enlarge it: mount -o remount,size=50% /dev/shm (in a container: "
                "--shm-size=8g)."};
    }
    if (size < memory / 5 * 2) {
        return {"shared memory", Level::warn, found,
                "The default volume is 40 % of memory: enlarge /dev/shm (mount -o remount,size=50% "
                "/dev/shm), or set volume.size."};
    }
    return {"shared memory", Level::ok, found, ""};
}

MachineCheck check_huge_pages() {
    const char* const path = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) {
        return {"huge pages", Level::warn, fmt::format("no {}", path),
                "The kernel has no huge pages for shared memory; the volume gets small ones."};
    }
    const std::size_t begin = line.find('[');
    const std::size_t end = line.find(']');
    const std::string chosen =
        begin < end && end != std::string::npos ? line.substr(begin + 1, end - begin - 1) : line;
    if (chosen == "deny") {
        return {"huge pages", Level::warn, "shmem_enabled is deny",
                fmt::format("The volume gets small pages; allow huge ones: echo advise > {}.", path)};
    }
    // never and advise both let MADV_COLLAPSE make huge pages.
    return {"huge pages", Level::ok, "shmem_enabled is " + chosen, ""};
}

MachineCheck check_io_uring() {
    io_uring_params parameters{};
    const auto ring = static_cast<int>(::syscall(SYS_io_uring_setup, 4, &parameters));
    if (ring >= 0) {
        ::close(ring);
        return {"io_uring", Level::ok, "permitted", ""};
    }
    return {"io_uring", Level::warn, errno_text(errno),
            "Files are moved with pwrite instead, which is about as fast; sysctl "
            "kernel.io_uring_disabled=0 permits it, a container needs a seccomp profile that does."};
}

MachineCheck check_memory_lock() {
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    return {"memory lock", Level::ok,
            limit.rlim_cur == RLIM_INFINITY
                ? std::string("no limit")
                : byte_size_text(static_cast<std::int64_t>(limit.rlim_cur)) + " (slabd locks no memory)",
            ""};
}

MachineCheck check_cpus() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return {"cpus", Level::warn, errno_text(errno), "Set workers.cpus in the configuration."};
    }
    const int count = CPU_COUNT(&allowed);
    const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
    const std::string found = fmt::format("{} of {} allowed", count, online);
    return count < online ? MachineCheck{"cpus", Level::warn, found,
                                         "A cpuset or taskset keeps the others from this user."}
                          : MachineCheck{"cpus", Level::ok, found, ""};
}

MachineCheck check_lingering() {
    const passwd* const entry = ::getpwuid(::getuid());
    const std::string user = entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
    struct stat status {};
    if (::getuid() == 0) {
        return {"lingering", Level::ok, "not needed: root uses the system's instance", ""};
    }
    if (::stat(("/var/lib/systemd/linger/" + user).c_str(), &status) == 0) {
        return {"lingering", Level::ok, user + " lingers: an own instance outlives the login", ""};
    }
    const bool has_instance = ::stat(user_socket_path().c_str(), &status) == 0;
    return {"lingering", has_instance ? Level::warn : Level::ok,
            fmt::format("{} does not linger: an own instance would end with the last login", user),
            has_instance ? "loginctl enable-linger keeps your instance and its jobs running." : ""};
}

}  // namespace

std::vector<MachineCheck> check_machine() {
    return {check_kernel(),   check_cpus(),        check_shared_memory(), check_huge_pages(),
            check_io_uring(), check_memory_lock(), check_lingering()};
}

}  // namespace slab
