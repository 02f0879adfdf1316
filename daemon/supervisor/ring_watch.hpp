#pragma once

#include "common/files/unique_descriptor.hpp"
#include "daemon/mover/mover_messages.hpp"

#include <cstddef>

namespace slab::daemon {

// Sees, from outside, whether a mover's io_uring has requests under way. The supervisor keeps the ring's descriptor:
// the ring outlives a mover that is killed, and its requests go on reading and writing the volume until they are
// done. Extents are not given to anybody else before.
class RingWatch {
  public:
    RingWatch() = default;
    RingWatch(int mover_pidfd, const RingPlaces& places);
    RingWatch(RingWatch&& other) noexcept;
    RingWatch& operator=(RingWatch&& other) noexcept;
    ~RingWatch();

    // False: nobody could tell whether the ring has drained, so the mover must not use it.
    bool is_watching() const { return mapped_ != nullptr; }

    // Every request that the kernel has taken has been completed. True without a ring.
    bool drained() const;

  private:
    UniqueDescriptor ring_;
    RingPlaces places_;
    void* mapped_ = nullptr;
};

}  // namespace slab::daemon
