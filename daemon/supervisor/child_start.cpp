#include "daemon/supervisor/child_start.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

static_assert(sizeof(sigset_t) <= 16 * sizeof(unsigned long long));

// A copy above the numbers that are about to be assigned, so that neither overwrites the other.
int moved_away(int descriptor) {
    return descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD, child_lock + 1);
}

void place(int copy, int number) {
    if (copy < 0) {
        ::close(number);
    } else if (::dup2(copy, number) < 0) {
        ::_exit(EXIT_FAILURE);
    }
}

}  // namespace

SignalsBlocked::SignalsBlocked() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    std::memcpy(saved_, &before, sizeof(before));
}

SignalsBlocked::~SignalsBlocked() {
    sigset_t before;
    std::memcpy(&before, saved_, sizeof(before));
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

void become_child(int socket, int maybe_lock, pid_t parent) {
    for (int signal = 1; signal < NSIG; ++signal) {
        ::signal(signal, SIG_DFL);
    }
    const int socket_copy = moved_away(socket);
    const int lock_copy = moved_away(maybe_lock);
    place(socket_copy, child_socket);
    place(lock_copy, child_lock);
    ::syscall(SYS_close_range, child_lock + 1, ~0U, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(EXIT_FAILURE);  // it died before the line above
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace slab::daemon
