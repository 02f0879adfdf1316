#pragma once

#include "common/files/unique_descriptor.hpp"

#include <utility>

namespace slab::daemon {

// For descriptors of clients, in the supervisor: close(2) makes a FUSE or NFS file write back, and waits for that as
// long as its server likes. Hands the close to a thread of the kernel and returns at once (20 us); the descriptor's
// number is free again a moment later. Also a last close that frees gigabytes of a memfd happens there.
//
// One small io_uring a process, made at the first call; one thread calls. A child forked by that process has no part
// in it and closes plainly. Closes plainly, and may hang, where io_uring is forbidden or older than Linux 5.15.
// Up to 64 closes can hang without delaying others; after that the others wait for one of them, not the caller.
//
// A process with a close that hangs cannot end, not even by SIGKILL, before the file system's server answers or its
// connection is aborted, and until then keeps all it has open: what must be free for a successor (locks, listening
// sockets) is closed before exit.
void close_in_background(int descriptor);

// Owns a client's descriptor in the supervisor.
class ClientDescriptor {
  public:
    ClientDescriptor() = default;
    explicit ClientDescriptor(int descriptor) : descriptor_(descriptor) {}
    explicit ClientDescriptor(UniqueDescriptor&& other) : descriptor_(other.release()) {}
    ClientDescriptor(ClientDescriptor&& other) noexcept : descriptor_(other.release()) {}
    ClientDescriptor& operator=(ClientDescriptor&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~ClientDescriptor() { reset(); }

    int get() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }
    int release() { return std::exchange(descriptor_, -1); }
    void reset(int descriptor = -1) {
        const int old = std::exchange(descriptor_, descriptor);
        if (old >= 0) {
            close_in_background(old);
        }
    }

  private:
    int descriptor_ = -1;
};

}  // namespace slab::daemon
