#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace slab {

// A private `slabd --embedded 3` for this process alone. It ends when its socket closes; whoever owns this
// closes the socket first. In a session of its own, so that a Ctrl-C at the terminal reaches this program
// only, which then decides. What it logs goes to this process's stderr with SLABD_LOG set, else into memory.
class EmbeddedDaemon {
  public:
    struct Started;

    // Looks for slabd at SLABD_PROGRAM, else beside the running program, in ../libexec, ../sbin, ../bin and
    // ../daemon from there, else along PATH. plugins: paths of libraries with kernels.
    static Expected<Started> start(const std::vector<std::string>& plugins);

    EmbeddedDaemon(EmbeddedDaemon&& other) noexcept;
    EmbeddedDaemon& operator=(EmbeddedDaemon&&) = delete;
    // Waits for its end; kills it after some seconds.
    ~EmbeddedDaemon();

    // How it ended and the last lines that it logged, for an error's "because". Waits a moment for the end.
    std::string last_words();

  private:
    EmbeddedDaemon(pid_t pid, UniqueDescriptor log);

    void wait_for_end(int timeout_ms);

    pid_t pid_ = -1;  // -1: reaped
    int wait_status_ = 0;
    UniqueDescriptor log_;
};

struct EmbeddedDaemon::Started {
    EmbeddedDaemon daemon;
    UniqueDescriptor socket;
};

}  // namespace slab
