#include "daemon/supervisor/ring_watch.hpp"

#include <atomic>
#include <cstdint>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace slab::daemon {
namespace {

std::uint32_t counter_at(void* mapped, std::uint32_t offset) {
    auto* const counter = reinterpret_cast<std::uint32_t*>(static_cast<std::byte*>(mapped) + offset);
    return std::atomic_ref<std::uint32_t>(*counter).load(std::memory_order_acquire);
}

}  // namespace

// A ring cannot be passed over a socket (the kernel refuses); the parent of its owner may copy the descriptor.
RingWatch::RingWatch(int mover_pidfd, const RingPlaces& places) : places_(places) {
    if (places_.descriptor >= 0) {
        ring_.reset(static_cast<int>(::syscall(SYS_pidfd_getfd, mover_pidfd, places_.descriptor, 0)));
    }
    if (ring_) {
        mapped_ = ::mmap(nullptr, places_.mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring_.get(),
                         IORING_OFF_SQ_RING);
        mapped_ = mapped_ == MAP_FAILED ? nullptr : mapped_;
    }
}

RingWatch::RingWatch(RingWatch&& other) noexcept
    : ring_(std::move(other.ring_)), places_(other.places_), mapped_(std::exchange(other.mapped_, nullptr)) {}

RingWatch& RingWatch::operator=(RingWatch&& other) noexcept {
    std::swap(ring_, other.ring_);
    std::swap(places_, other.places_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

RingWatch::~RingWatch() {
    if (mapped_ != nullptr) {
        ::munmap(mapped_, places_.mapped_bytes);
    }
    // Here and now: a ring (the one that closes in the background) refuses to close a ring.
    if (ring_) {
        ::close(ring_.release());
    }
}

bool RingWatch::drained() const {
    // A mover never has more requests under way than the completion queue holds: the counts meet when all are done.
    return mapped_ == nullptr ||
           counter_at(mapped_, places_.submitted_offset) == counter_at(mapped_, places_.completed_offset);
}

}  // namespace slab::daemon
