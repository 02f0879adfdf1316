#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <chrono>
#include <string>

namespace slab::daemon {

// Two locks beside the segment, each on a file of its own (a reader could lock the volume itself):
//   /dev/shm/slabd.NAME.supervisor   exclusive, as long as the supervisor lives: one daemon an instance
//   /dev/shm/slabd.NAME.children     shared, by every child: a new supervisor takes it exclusively once, so that no
//                                    child of a dead one still writes when it adopts the volume
class InstanceLock {
  public:
    // Waits for the old children, at most `patience`.
    static Expected<InstanceLock> take(const std::string& instance, std::chrono::milliseconds patience);

    int children_descriptor() const { return children_.get(); }

    // A clean stop leaves no name behind. While the lock is held, so that nobody is between open and lock.
    void remove_names();

  private:
    std::string supervisor_path_, children_path_;
    UniqueDescriptor supervisor_, children_;
};

}  // namespace slab::daemon
