#include "client/library/embedded_daemon.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace slab {
namespace {

constexpr int socket_number = 3;
constexpr int patience_ms = 5000;

bool is_program(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string folder_of_this_program() {
    std::array<char, PATH_MAX> path{};
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    if (length <= 0) {
        return {};
    }
    const std::string_view text(path.data(), static_cast<std::size_t>(length));
    return std::string(text.substr(0, text.rfind('/')));
}

std::vector<std::string> places_of_slabd() {
    std::vector<std::string> places;
    if (const std::string folder = folder_of_this_program(); !folder.empty()) {
        for (const char* relative : {"", "/../libexec", "/../sbin", "/../bin", "/../daemon"}) {
            places.push_back(folder + relative + "/slabd");
        }
    }
    const char* path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        if (colon > 0) {
            places.push_back(std::string(rest.substr(0, colon)) + "/slabd");
        }
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    return places;
}

Expected<std::string> find_slabd() {
    if (const char* chosen = std::getenv("SLABD_PROGRAM"); chosen != nullptr && *chosen != '\0') {
        if (is_program(chosen)) {
            return chosen;
        }
        return std::unexpected(Error{ErrorKind::no_daemon, "the daemon's program cannot be started",
                                     fmt::format("SLABD_PROGRAM is {}, which is no executable file", chosen),
                                     "Set SLABD_PROGRAM to the path of slabd, or unset it."});
    }
    for (const std::string& place : places_of_slabd()) {
        if (is_program(place)) {
            return place;
        }
    }
    return std::unexpected(Error{ErrorKind::no_daemon,
                                 "no daemon is running, and slabd was not found to start one",
                                 "it is neither beside this program nor along PATH",
                                 "Install slabd, or set SLABD_PROGRAM to its path."});
}

// The environment without what a service manager meant for this process: the private daemon must not report
// itself ready to it, nor take its sockets.
std::vector<char*> environment_without_service_manager() {
    constexpr std::array<std::string_view, 7> unwanted{
        "NOTIFY_SOCKET=", "LISTEN_PID=",    "LISTEN_FDS=", "LISTEN_FDNAMES=",
        "WATCHDOG_PID=",  "WATCHDOG_USEC=", "MAINPID="};
    std::vector<char*> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        if (std::ranges::none_of(unwanted, [&](std::string_view name) { return text.starts_with(name); })) {
            result.push_back(*entry);
        }
    }
    result.push_back(nullptr);
    return result;
}

// A copy whose number is above those that the child's standard descriptors and socket will get.
UniqueDescriptor moved_up(UniqueDescriptor descriptor) {
    return UniqueDescriptor(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 10));
}

Error cannot_start(const std::string& program, int code) {
    return {ErrorKind::no_daemon, "a private daemon could not be started",
            fmt::format("{}: {}", program, errno_text(code)),
            "Start slabd yourself, or look at the limits on processes and memory (ulimit -a)."};
}

class SpawnSettings {
  public:
    SpawnSettings() {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
    }
    ~SpawnSettings() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

// Signals as a fresh program expects them, whatever this one blocks or ignores.
void set_fresh_process(posix_spawnattr_t& attributes) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(
        &attributes, static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
}

}  // namespace

Expected<EmbeddedDaemon::Started> EmbeddedDaemon::start(const std::vector<std::string>& plugins) {
    Expected<std::string> program = find_slabd();
    if (!program) {
        return std::unexpected(program.error());
    }
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return std::unexpected(cannot_start(*program, errno));
    }
    UniqueDescriptor ours(pair[0]);
    const UniqueDescriptor theirs = moved_up(UniqueDescriptor(pair[1]));
    UniqueDescriptor log;
    if (std::getenv("SLABD_LOG") == nullptr) {
        log = moved_up(UniqueDescriptor(::memfd_create("slabd-log", MFD_CLOEXEC)));
    }

    SpawnSettings settings;
    set_fresh_process(settings.attributes);
    ::posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (log) {
        ::posix_spawn_file_actions_adddup2(&settings.actions, log.get(), STDERR_FILENO);
    }
    // This program's stdout may be a pipe that somebody parses: the daemon's goes where its stderr goes.
    ::posix_spawn_file_actions_adddup2(&settings.actions, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&settings.actions, theirs.get(), socket_number);
    ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, socket_number + 1);

    std::string number = std::to_string(socket_number);
    std::string option = "--embedded";
    std::vector<std::string> plugin_options;
    for (const std::string& plugin : plugins) {
        plugin_options.push_back("--plugin=" + plugin);
    }
    std::vector<char*> arguments{program->data(), option.data(), number.data()};
    for (std::string& plugin : plugin_options) {
        arguments.push_back(plugin.data());
    }
    arguments.push_back(nullptr);
    const std::vector<char*> environment = environment_without_service_manager();
    pid_t pid = -1;
    const int code = ::posix_spawn(&pid, program->c_str(), &settings.actions, &settings.attributes,
                                   arguments.data(), environment.data());
    if (code != 0) {
        return std::unexpected(cannot_start(*program, code));
    }
    return Started{EmbeddedDaemon(pid, std::move(log)), std::move(ours)};
}

EmbeddedDaemon::EmbeddedDaemon(pid_t pid, UniqueDescriptor log) : pid_(pid), log_(std::move(log)) {}

EmbeddedDaemon::EmbeddedDaemon(EmbeddedDaemon&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), wait_status_(other.wait_status_), log_(std::move(other.log_)) {}

EmbeddedDaemon::~EmbeddedDaemon() {
    wait_for_end(patience_ms);
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        wait_for_end(patience_ms);
    }
}

void EmbeddedDaemon::wait_for_end(int timeout_ms) {
    if (pid_ <= 0) {
        return;
    }
    const UniqueDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U)));
    pollfd entry{process.get(), POLLIN, 0};
    int ready = -1;
    do {
        ready = process ? ::poll(&entry, 1, timeout_ms) : 1;
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return;
    }
    // ECHILD when the program around us reaps every child itself; gone it is all the same.
    if (::waitpid(pid_, &wait_status_, 0) == pid_ || errno == ECHILD) {
        pid_ = -1;
    }
}

std::string EmbeddedDaemon::last_words() {
    constexpr int moment_ms = 1000;
    wait_for_end(moment_ms);
    std::string words =
        pid_ > 0 ? "the private daemon closed its socket"
        : WIFSIGNALED(wait_status_)
            ? fmt::format("the private daemon was killed by signal {} ({})", WTERMSIG(wait_status_),
                          ::strsignal(WTERMSIG(wait_status_)))
            : fmt::format("the private daemon ended with exit code {}", WEXITSTATUS(wait_status_));
    struct stat status {};
    if (log_ && ::fstat(log_.get(), &status) == 0 && status.st_size > 0) {
        constexpr off_t most = 2000;
        const off_t from = std::max<off_t>(0, status.st_size - most);
        std::string tail(static_cast<std::size_t>(status.st_size - from), '\0');
        const ssize_t count = ::pread(log_.get(), tail.data(), tail.size(), from);
        tail.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
        if (from > 0) {
            tail.erase(0, tail.find('\n') + 1);
        }
        while (!tail.empty() && tail.back() == '\n') {
            tail.pop_back();
        }
        words += ", after these last lines:\n" + tail;
    }
    return words;
}

}  // namespace slab
