#include "daemon/mover/sandbox.hpp"

#include "common/files/unique_descriptor.hpp"
#include "common/protocol/packet.hpp"
#include "daemon/mover/gzip_reader.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <new>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <zlib.h>

using namespace slab;
using namespace slab::daemon;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// Exit codes of the child: 0, or the number of the first step that went wrong.
constexpr int not_entered = 99;

// The child enters the sandbox, then acts. Its exit status as of waitpid().
int status_in_sandbox(const std::function<int()>& act) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::signal(SIGABRT, SIG_DFL);   // not doctest's handler
        ::prctl(PR_SET_DUMPABLE, 0);  // what it is killed for leaves no core file
        const auto entered = enter_mover_sandbox();
        ::_exit(entered && *entered == Sandbox::entered ? act() : not_entered);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

int exit_code_in_sandbox(const std::function<int()>& act) {
    const int status = status_in_sandbox(act);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int killed_by_in_sandbox(const std::function<int()>& act) {
    const int status = status_in_sandbox(act);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

bool refused(long answer) {
    return answer == -1 && errno == EPERM;
}

bool skipped_for_sanitizer() {
    if (sanitized) {
        MESSAGE("skipped: with the address sanitizer no sandbox is entered");
        CHECK(enter_mover_sandbox() == Sandbox::left_out_for_sanitizer);
    }
    return sanitized;
}

UniqueDescriptor nameless_file() {
    UniqueDescriptor file(::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    REQUIRE(file);
    return file;
}

struct RestrictedRing {
    RestrictedRing() { made = io_uring_queue_init(8, &ring, IORING_SETUP_R_DISABLED) == 0; }
    ~RestrictedRing() {
        if (made) {
            io_uring_queue_exit(&ring);
        }
    }
    RestrictedRing(const RestrictedRing&) = delete;
    RestrictedRing& operator=(const RestrictedRing&) = delete;

    // What the one request that prepare() fills in completes with.
    template <typename Prepare>
    int answer(Prepare prepare) {
        io_uring_sqe* const request = io_uring_get_sqe(&ring);
        prepare(request);
        if (const int count = io_uring_submit(&ring); count != 1) {
            return -EIO;
        }
        io_uring_cqe* done = nullptr;
        if (io_uring_wait_cqe(&ring, &done) != 0) {
            return -EIO;
        }
        const int result = done->res;
        io_uring_cqe_seen(&ring, done);
        return result;
    }

    io_uring ring{};
    bool made = false;
};

}  // namespace

TEST_CASE("a mover in its sandbox opens nothing, connects nowhere and starts nothing") {
    if (skipped_for_sanitizer()) {
        return;
    }
    REQUIRE(std::getenv("SLABD_PAUSE_DIR") == nullptr);
    const UniqueDescriptor file = nameless_file();
    const pid_t parent = ::getpid();
    const int step = exit_code_in_sandbox([&] {
        struct stat status {};
        const std::function<long()> forbidden[] = {
            [] { return ::open("/etc/passwd", O_RDONLY); },
            [] { return ::syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0); },
            [] { return ::rename("/tmp/a", "/tmp/b"); },
            [] { return ::unlink("/tmp/a"); },
            [&] { return ::stat("/etc/passwd", &status); },
            [] { return ::socket(AF_INET, SOCK_STREAM, 0); },
            [] { return ::socket(AF_UNIX, SOCK_STREAM, 0); },
            [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); },
            [&] { return ::kill(parent, SIGTERM); },
            [&] { return ::kill(-1, 0); },
            [&] { return ::syscall(SYS_tgkill, parent, parent, SIGTERM); },
            [&] { return ::fcntl(file.get(), F_SETOWN, parent); },
            [] { return ::prctl(PR_SET_DUMPABLE, 1); },
            [] { return ::setuid(0); },
            [] { return ::syscall(SYS_memfd_create, "x", 0); },
            [] { return ::syscall(SYS_io_uring_setup, 8, nullptr); },
            [] { return ::syscall(SYS_io_uring_register, 0, 0, nullptr, 0); },
            [&] { return ::syscall(SYS_ioctl, file.get(), 0x5401, nullptr); },
            [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); },
            [] { return ::syscall(SYS_vmsplice, 0, nullptr, 0, 0); },
            [] { return ::syscall(SYS_sendto, 0, "x", 1, 0, "address", 7); },
            [] {
                return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                               MAP_FAILED
                           ? -1L
                           : 0L;
            },
            [] {
                void* const page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                return static_cast<long>(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
            },
        };
        int number = 1;
        for (const auto& attempt : forbidden) {
            errno = 0;
            if (!refused(attempt())) {
                return number;
            }
            ++number;
        }
        return 0;
    });
    CHECK_MESSAGE(step == 0, "the first call that was not refused is number " << step);
}

TEST_CASE("a mover that tries to become or to enter another process is killed") {
    if (skipped_for_sanitizer()) {
        return;
    }
    CHECK(killed_by_in_sandbox([] { return ::execl("/bin/true", "true", nullptr); }) == SIGSYS);
    CHECK(killed_by_in_sandbox([] { return static_cast<int>(::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0)); }) ==
          SIGSYS);
    CHECK(killed_by_in_sandbox([] {
              return static_cast<int>(::process_vm_writev(::getppid(), nullptr, 0, nullptr, 0, 0));
          }) == SIGSYS);
}

TEST_CASE("a mover in its sandbox can do its work") {
    if (skipped_for_sanitizer()) {
        return;
    }
    const UniqueDescriptor file = nameless_file();
    const std::string content(300'000, 'c');
    std::string compressed(400'000, '\0');
    uLongf compressed_bytes = compressed.size();
    {
        z_stream stream{};
        REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
        stream.avail_in = static_cast<uInt>(content.size());
        stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
        stream.avail_out = static_cast<uInt>(compressed.size());
        REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
        compressed_bytes = stream.total_out;
        ::deflateEnd(&stream);
    }
    const UniqueDescriptor gzip = nameless_file();
    REQUIRE(::write(gzip.get(), compressed.data(), compressed_bytes) ==
            static_cast<ssize_t>(compressed_bytes));
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    auto* const page = static_cast<std::byte*>(::operator new (8192, std::align_val_t{4096}));
    std::memset(page, 7, 8192);

    const int step = exit_code_in_sandbox([&]() -> int {
        struct stat status {};
        struct statfs filesystem {};
        const int fd = file.get();
        if (::fstat(fd, &status) != 0 || ::fstatfs(fd, &filesystem) != 0) {
            return 1;
        }
        if ((::fallocate(fd, 0, 0, 8192) != 0 && errno != EOPNOTSUPP) || ::ftruncate(fd, 8192) != 0) {
            return 2;
        }
        const int flags = ::fcntl(fd, F_GETFL);
        if (flags < 0 || (::fcntl(fd, F_SETFL, flags | O_DIRECT) != 0 && errno != EINVAL)) {
            return 3;
        }
        if (::pwrite(fd, page, 4096, 4096) != 4096 || ::pread(fd, page, 4096, 4096) != 4096 ||
            ::fcntl(fd, F_SETFL, flags) != 0) {
            return 4;
        }
        if (::fdatasync(fd) != 0 || ::fsync(fd) != 0 || ::lseek(fd, 0, SEEK_END) != 8192) {
            return 5;
        }
        std::string inflated(content.size() + 1, '\0');
        GzipReader reader(gzip.get());
        if (reader.read(std::as_writable_bytes(std::span(inflated))) !=
                static_cast<std::int64_t>(content.size()) ||
            inflated.compare(0, content.size(), content) != 0) {
            return 6;
        }
        const std::array<int, 1> sent{fd};
        Packet received;
        if (send_packet(sockets[0], "file", sent) != Transfer::moved ||
            receive_packet(sockets[1], received) != Transfer::moved || received.descriptors.size() != 1) {
            return 7;
        }
        if (::send(sockets[0], "x", 1, MSG_NOSIGNAL) != 1 || ::recv(sockets[1], page, 1, 0) != 1) {
            return 8;
        }
        std::string much(50'000'000, 'm');  // mapped by malloc, and given back
        much.resize(90'000'000);
        if (much[1] != 'm') {
            return 9;
        }
        if (::prctl(PR_SET_NAME, "mover") != 0 || ::kill(::getpid(), 0) != 0) {
            return 10;
        }
        const timespec moment{0, 1000};
        return ::nanosleep(&moment, nullptr) == 0 ? 0 : 11;
    });
    CHECK_MESSAGE(step == 0, "step " << step << " failed");
    CHECK(killed_by_in_sandbox([] {
              std::abort();
              return 0;
          }) == SIGABRT);
    ::operator delete (page, std::align_val_t{4096});
    ::close(sockets[0]);
    ::close(sockets[1]);
}

TEST_CASE("a restricted ring reads and writes in the sandbox, and opens and connects nothing") {
    RestrictedRing ring;
    if (!ring.made) {
        MESSAGE("skipped: no io_uring here");
        return;
    }
    REQUIRE(restrict_ring(ring.ring).has_value());
    const UniqueDescriptor file = nameless_file();
    std::array<std::byte, 4096> bytes{};
    const auto act = [&] {
        const auto size = static_cast<unsigned>(bytes.size());
        const bool works = ring.answer([&](io_uring_sqe* r) {
            io_uring_prep_write(r, file.get(), bytes.data(), size, 0);
        }) == 4096 && ring.answer([&](io_uring_sqe* r) {
            io_uring_prep_read(r, file.get(), bytes.data(), size, 0);
            io_uring_sqe_set_flags(r, IOSQE_ASYNC);
        }) == 4096 && ring.answer([&](io_uring_sqe* r) {
            io_uring_prep_fsync(r, file.get(), IORING_FSYNC_DATASYNC);
        }) == 0;
        if (!works) {
            return 1;
        }
        if (ring.answer([](io_uring_sqe* r) {
                io_uring_prep_openat(r, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
            }) != -EACCES) {
            return 2;
        }
        if (ring.answer([](io_uring_sqe* r) { io_uring_prep_connect(r, 0, nullptr, 0); }) != -EACCES) {
            return 3;
        }
        if (ring.answer([](io_uring_sqe* r) { io_uring_prep_unlinkat(r, AT_FDCWD, "/tmp/a", 0); }) !=
            -EACCES) {
            return 4;
        }
        return io_uring_register_eventfd(&ring.ring, 0) < 0 ? 0 : 5;
    };
    if (sanitized) {
        CHECK(act() == 0);
    } else {
        CHECK(exit_code_in_sandbox(act) == 0);
    }
}

TEST_CASE("a ring that was enabled at its start cannot be restricted any more") {
    io_uring ring{};
    if (io_uring_queue_init(8, &ring, 0) != 0) {
        MESSAGE("skipped: no io_uring here");
        return;
    }
    const auto restricted = restrict_ring(ring);
    CHECK_FALSE(restricted.has_value());
    CHECK(restricted.error() == EBADFD);
    io_uring_queue_exit(&ring);
}

TEST_CASE("pause points and recordings open files in the sandbox, as tests ask for it") {
    if (skipped_for_sanitizer()) {
        return;
    }
    const auto opens = [] { return ::open("/", O_RDONLY | O_DIRECTORY) >= 0 ? 0 : 1; };
    const auto renames = [] { return ::rename("/nowhere/a", "/nowhere/b") == -1 && errno == ENOENT ? 0 : 1; };
    ::setenv("SLABD_RECORD_DIR", "/tmp", 1);
    CHECK(exit_code_in_sandbox(opens) == 0);
    CHECK(exit_code_in_sandbox(renames) == 1);
    ::unsetenv("SLABD_RECORD_DIR");
    ::setenv("SLABD_PAUSE_DIR", "/tmp", 1);
    CHECK(exit_code_in_sandbox(renames) == 0);
    ::unsetenv("SLABD_PAUSE_DIR");
    CHECK(exit_code_in_sandbox(opens) == 1);
}
