#pragma once

#include "common/errors/error.hpp"

#include <cstdint>
#include <expected>

#include <liburing.h>

namespace slab::daemon {

enum class Sandbox : std::uint8_t {
    entered,
    no_filter_for_this_machine,  // neither x86-64 nor aarch64
    left_out_for_sanitizer,      // its runtime needs calls of its own
};

// A mover inflates what strangers send. From here on this thread, with what it will ever fork, has only the calls of a
// mover at work: on descriptors that it has or is sent, on its own memory, and signals to itself. It opens no path, makes
// no socket, no ring and no process. A forbidden call answers EPERM; execve, ptrace and process_vm_writev end the
// process (SIGSYS). Cannot be undone. Call it when the process title is set and the ring exists.
//
// Left open, as seccomp cannot see what a pointer points to: fstatat with AT_EMPTY_PATH, which glibc's fstat is, tells the
// size and dates of any path; sendmsg can name a receiver if a client sends a datagram socket as a file.
//
// SLABD_PAUSE_DIR (pause points) allows open and rename, SLABD_RECORD_DIR and SLABD_FAULT_DIR (recordings
// and faults of tests) allow open: with one of
// them set this is no fence. Both come from the daemon's environment, which no client writes.
Expected<Sandbox> enter_mover_sandbox();

// A ring can open files and connect sockets on its own, unseen by seccomp. The ring must have been made with
// IORING_SETUP_R_DISABLED; afterwards it is enabled, and takes read, write, fsync, fallocate, poll_add, async_cancel,
// timeout, close and nop, in any order or link, without registered files or buffers; anything else completes with
// -EACCES. Fails with errno (EBADFD: the ring was enabled before); then the ring must not be used.
std::expected<void, int> restrict_ring(io_uring& ring);

}  // namespace slab::daemon
