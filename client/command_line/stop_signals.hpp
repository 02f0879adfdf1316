#pragma once

#include "common/files/unique_descriptor.hpp"

#include <csignal>
#include <string>

namespace slab {

// While this lives, Ctrl-C, SIGTERM and SIGHUP do not end the process: they make a descriptor readable, and
// the command ends in its own order, files and job included. Those that were ignored before (nohup, a shell's
// background) stay ignored. For a program with one thread.
class StopSignals {
  public:
    StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals();

    int descriptor() const { return descriptor_.get(); }

    // The name of the signal that has come, taken off the descriptor so that the next one can be waited for;
    // empty: none.
    std::string take();

  private:
    sigset_t before_{};
    UniqueDescriptor descriptor_;
};

}  // namespace slab
