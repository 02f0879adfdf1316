#pragma once

namespace slab::daemon {

// For descriptors of clients, in the supervisor: close(2) makes a FUSE or NFS file write back, and waits for that as
// long as its server likes. Hands the close to a thread of the kernel and returns at once (20 us); the descriptor's
// number is free again a moment later. Also a last close that frees gigabytes of a memfd happens there.
//
// Not for an io_uring's descriptor, which a ring does not close (EBADF).
//
// One small io_uring a process, made at the first call; one thread calls. A child forked by that process has no part
// in it and closes plainly. Closes plainly, and may hang, where io_uring is forbidden or older than Linux 5.15.
// Up to 64 closes can hang without delaying others; after that the others wait for one of them, not the caller.
//
// A process with a close that hangs cannot end, not even by SIGKILL, before the file system's server answers or its
// connection is aborted, and until then keeps all it has open: what must be free for a successor (locks, listening
// sockets) is closed before exit.
void close_in_background(int descriptor);

}  // namespace slab::daemon
