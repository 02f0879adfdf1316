#pragma once

#include "common/errors/error.hpp"
#include "daemon/mover/mover_messages.hpp"

#include <string_view>

namespace slab::daemon {

// The output of a mover's job while it is written. The descriptor stays the caller's.
class JobOutput {
  public:
    JobOutput(int descriptor, const OutputBytes& output)
        : descriptor_(descriptor), is_sequential_(output.is_sequential != 0) {}

    int descriptor() const { return descriptor_; }
    bool is_sequential() const { return is_sequential_; }

    // When everything is written: puts it on disk, then the header, which is what makes the file valid. Returns 0 or
    // errno. What fdatasync failed to write is gone from the page cache: a second try would only seem to succeed.
    int seal(std::string_view header) const;

    // An output that will not be finished gives its space back; without its header it is no valid file anyway.
    void empty() const;

  private:
    int sync() const;

    int descriptor_;
    bool is_sequential_;
};

Error cannot_be_written(int error_number);

}  // namespace slab::daemon
