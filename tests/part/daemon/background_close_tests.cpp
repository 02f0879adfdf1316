#include "common/files/unique_descriptor.hpp"
#include "daemon/files/background_close.hpp"

#include "common/files/unique_descriptor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace slab;
using namespace slab::daemon;

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// The server of tests/harness/hanging_fuse.py, which says what it does line by line. When it ends, all that hangs in
// its mount fails, so that no child of a test outlives it.
class HangingMount {
  public:
    explicit HangingMount(const char* hanging) {
        REQUIRE(::mkdtemp(directory_.data()) != nullptr);
        std::array<int, 2> commands{};
        std::array<int, 2> news{};
        REQUIRE(::pipe2(commands.data(), O_CLOEXEC) == 0);
        REQUIRE(::pipe2(news.data(), O_CLOEXEC) == 0);
        server_ = ::fork();
        REQUIRE(server_ >= 0);
        if (server_ == 0) {
            ::dup2(commands[0], STDIN_FILENO);
            ::dup2(news[1], STDOUT_FILENO);
            ::execl("/usr/bin/python3", "python3", "-B", SLABD_HANGING_FUSE, directory_.c_str(), "65536",
                    hanging, nullptr);
            ::_exit(127);
        }
        ::close(commands[0]);
        ::close(news[1]);
        commands_ = ::fdopen(commands[1], "w");
        news_ = ::fdopen(news[0], "r");
        wait_for("ready");
    }
    ~HangingMount() {
        ::kill(server_, SIGKILL);
        ::waitpid(server_, nullptr, 0);
        std::fclose(commands_);
        std::fclose(news_);
        ::umount2(directory_.c_str(), MNT_DETACH);
        ::rmdir(directory_.c_str());
    }
    HangingMount(const HangingMount&) = delete;
    HangingMount& operator=(const HangingMount&) = delete;

    std::string data() const { return directory_ + "/data"; }

    void wait_for(const std::string& line) {
        std::array<char, 200> said{};
        do {
            REQUIRE_MESSAGE(std::fgets(said.data(), said.size(), news_) != nullptr,
                            "the server of the mount has ended");
        } while (line + "\n" != said.data());
    }

    void release() {
        std::fputs("release\n", commands_);
        std::fflush(commands_);
        wait_for("release");
    }

  private:
    std::string directory_ = "/tmp/hanging-close.XXXXXX";
    pid_t server_ = -1;
    std::FILE* commands_ = nullptr;
    std::FILE* news_ = nullptr;
};

bool no_fuse() {
    const UniqueDescriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (::geteuid() != 0 || !device) {
        MESSAGE("skipped: a hanging mount needs root and /dev/fuse");
        return true;
    }
    return false;
}

// In a child, as a process with a close that hangs cannot end. Its exit code is what act() returns.
template <typename Act>
pid_t child_doing(Act act) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::_exit(act());
    }
    return child;
}

int exit_code_of(pid_t child) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_open(int descriptor) {
    return ::fcntl(descriptor, F_GETFD) >= 0;
}

bool closes_within(int descriptor, std::chrono::seconds patience) {
    for (const auto end = Clock::now() + patience; is_open(descriptor);) {
        if (Clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

constexpr int too_slow = 10;
constexpr int not_open = 11;
constexpr int not_closed = 12;

}  // namespace

TEST_CASE("a plain close of a file on a hanging mount hangs") {
    if (no_fuse()) {
        return;
    }
    HangingMount mount("flush");
    const pid_t child = child_doing([path = mount.data()] {
        const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        return file >= 0 ? ::close(file) : not_open;
    });
    mount.wait_for("hung flush");
    CHECK(::waitpid(child, nullptr, WNOHANG) == 0);
    mount.release();
    CHECK(exit_code_of(child) == 0);
}

TEST_CASE("a close in the background returns at once from a hanging mount, and so do those after it") {
    if (no_fuse()) {
        return;
    }
    constexpr int hanging_closes = 40;  // more than the 4 threads a CPU that an io_uring has by itself
    HangingMount mount("flush");
    std::array<int, 2> told{};
    REQUIRE(::pipe2(told.data(), O_CLOEXEC) == 0);
    const pid_t child = child_doing([path = mount.data(), &told] {
        auto slowest = Clock::duration::zero();
        for (int i = 0; i < hanging_closes; ++i) {
            const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
            if (file < 0) {
                return not_open;
            }
            const auto start = Clock::now();
            close_in_background(file);
            slowest = std::max(slowest, Clock::now() - start);
        }
        const int innocent = ::dup(told[1]);
        close_in_background(innocent);
        if (!closes_within(innocent, 20s)) {
            return not_closed;
        }
        [[maybe_unused]] const ssize_t ignored = ::write(told[1], "x", 1);
        return slowest < 50ms ? 0 : too_slow;
    });
    ::close(told[1]);
    for (int i = 0; i < hanging_closes; ++i) {
        mount.wait_for("hung flush");
    }
    char said = 0;
    CHECK(::read(told[0], &said, 1) == 1);  // while all of them hang
    ::close(told[0]);
    mount.release();
    CHECK(exit_code_of(child) == 0);
}

TEST_CASE("what is closed in the background is closed, once") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    for (int i = 0; i < 1000; ++i) {
        close_in_background(::dup(ends[1]));
    }
    close_in_background(ends[1]);
    char nothing = 0;
    CHECK(::read(ends[0], &nothing, 1) == 0);  // waits until nobody can write
    ::close(ends[0]);
}

TEST_CASE("a forked child closes on its own") {
    close_in_background(::dup(STDERR_FILENO));  // the ring exists
    const pid_t child = child_doing([] {
        const int copy = ::dup(STDERR_FILENO);
        close_in_background(copy);
        return is_open(copy) ? not_closed : 0;
    });
    CHECK(exit_code_of(child) == 0);
}
