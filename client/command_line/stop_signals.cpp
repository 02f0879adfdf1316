#include "client/command_line/stop_signals.hpp"

#include <sys/signalfd.h>

namespace slab {

StopSignals::StopSignals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action {};
        // A blocked signal is queued even where it would be ignored, so an ignored one must not be in the
        // set.
        if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(&wanted, number);
        }
    }
    ::sigprocmask(SIG_BLOCK, &wanted, &before_);
    descriptor_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

StopSignals::~StopSignals() {
    // One that came last would end the process now, after everything is in order: it is swallowed.
    take();
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::string StopSignals::take() {
    signalfd_siginfo info{};
    std::string name;
    while (::read(descriptor_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
        name = info.ssi_signo == SIGINT ? "Ctrl-C" : info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGHUP";
    }
    return name;
}

}  // namespace slab
