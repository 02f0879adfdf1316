#include "daemon/supervisor/child_start.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace slab::daemon {
namespace {

static_assert(sizeof(sigset_t) <= 16 * sizeof(unsigned long long));

// A copy above the numbers that are about to be assigned, so that neither overwrites the other.
int moved_away(int descriptor, int above) {
    return descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD, above);
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

void become_child(int socket, int maybe_lock, pid_t parent, std::span<const int> plugin_images) {
    for (int signal = 1; signal < NSIG; ++signal) {
        ::signal(signal, SIG_DFL);
    }
    const int behind = first_plugin_descriptor + static_cast<int>(plugin_images.size());
    const int socket_copy = moved_away(socket, behind);
    const int lock_copy = moved_away(maybe_lock, behind);
    std::vector<int> image_copies;
    for (const int image : plugin_images) {
        image_copies.push_back(moved_away(image, behind));
    }
    place(socket_copy, child_socket);
    place(lock_copy, child_lock);
    for (std::size_t i = 0; i < image_copies.size(); ++i) {
        place(image_copies[i], first_plugin_descriptor + static_cast<int>(i));
    }
    ::syscall(SYS_close_range, behind, ~0U, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(EXIT_FAILURE);  // it died before the line above
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace slab::daemon
