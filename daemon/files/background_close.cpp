#include "daemon/files/background_close.hpp"

#include <array>
#include <cerrno>
#include <liburing.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

// Never taken down: to end with its process is all it needs, and taking it down waits for what hangs.
class ClosingRing {
  public:
    ClosingRing() : owner_(::getpid()) {
        constexpr unsigned entries = 64;
        if (io_uring_queue_init(entries, &ring_, 0) != 0) {
            return;
        }
        // Without this 4 threads a CPU would close, and so many hung closes would hold up all others.
        std::array<unsigned, 2> most_workers{64, 0};
        if (io_uring_register_iowq_max_workers(&ring_, most_workers.data()) != 0 ||
            io_uring_ring_dontfork(&ring_) != 0) {
            io_uring_queue_exit(&ring_);
            return;
        }
        available_ = true;
    }

    // A forked child has the descriptor of the parent's ring at most, and none of its memory.
    bool usable() const { return available_ && ::getpid() == owner_; }

    bool submit(int descriptor) {
        reap();
        io_uring_sqe* const request = io_uring_get_sqe(&ring_);
        if (request == nullptr) {
            return false;
        }
        io_uring_prep_close(request, descriptor);
        io_uring_sqe_set_data64(request, static_cast<std::uint64_t>(descriptor));
        // Else a close without a flush operation happens here and now, with all that the last close of a file does.
        io_uring_sqe_set_flags(request, IOSQE_ASYNC);
        int count = 0;
        do {
            count = io_uring_submit(&ring_);
        } while (count == -EINTR);
        if (count < 1) {
            // It stays in the queue, and the next submission would close whoever has this number then.
            io_uring_prep_nop(request);
            io_uring_sqe_set_data64(request, not_a_close);
            return false;
        }
        return true;
    }

  private:
    static constexpr std::uint64_t not_a_close = ~std::uint64_t{0};

    void reap() {
        io_uring_cqe* done = nullptr;
        while (io_uring_peek_cqe(&ring_, &done) == 0) {
            const std::uint64_t data = io_uring_cqe_get_data64(done);
            const int result = done->res;
            io_uring_cqe_seen(&ring_, done);
            if (result == -ECANCELED && data != not_a_close) {
                ::close(static_cast<int>(data));  // the kernel had no thread for it; it is still open
            }
        }
    }

    io_uring ring_{};
    pid_t owner_;
    bool available_ = false;
};

}  // namespace

void close_in_background(int descriptor) {
    static ClosingRing& ring = *new ClosingRing;
    if (!ring.usable() || !ring.submit(descriptor)) {
        ::close(descriptor);
    }
}

}  // namespace slab::daemon
