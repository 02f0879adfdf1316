#pragma once

#include "common/files/unique_descriptor.hpp"

#include <span>
#include <sys/types.h>

namespace slab::daemon {

// Blocks every signal while it lives: held around a fork, so that a child never runs a handler of its parent.
class SignalsBlocked {
  public:
    SignalsBlocked();
    ~SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    unsigned long long saved_[16];  // a sigset_t, whose header drags in too much
};

// What every child does first, signals still blocked: all dispositions to default, unblock, its socket becomes
// descriptor 3, the children's lock (when there is one) 4, plug-ins' images (plugin_file.hpp; for those who run them)
// those from 5 on, all others but 0 to 2 are closed; it dies with `parent`.
// A child that kept its parent's handlers would send its own SIGTERM into the parent's loop and live on; one that
// kept a sibling's socket would keep it from ever closing.
inline constexpr int child_socket = 3;
inline constexpr int child_lock = 4;
inline constexpr int first_plugin_descriptor = 5;
void become_child(int socket, int maybe_lock, pid_t parent, std::span<const int> plugin_images = {});

}  // namespace slab::daemon
