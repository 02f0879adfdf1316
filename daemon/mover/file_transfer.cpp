#include "daemon/mover/file_transfer.hpp"

#include "common/pausing/pause_point.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <linux/magic.h>
#include <optional>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

namespace slab::daemon {
namespace {

constexpr std::int64_t block = 4096;  // the strictest alignment that O_DIRECT asks for

bool set_direct(int descriptor) {
    // A file in memory gains nothing, whatever its kernel answers.
    struct statfs filesystem {};
    if (::fstatfs(descriptor, &filesystem) == 0 &&
        (filesystem.f_type == TMPFS_MAGIC || filesystem.f_type == HUGETLBFS_MAGIC)) {
        return false;
    }
    const int flags = ::fcntl(descriptor, F_GETFL);
    return flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_DIRECT) == 0;
}

ssize_t move_once(const FileTransfer& transfer, std::int64_t done, std::int64_t bytes) {
    std::byte* const memory = transfer.memory + done;
    const auto size = static_cast<std::size_t>(bytes);
    ssize_t count = -1;
    do {
        count = transfer.direction == Direction::read
                    ? ::pread(transfer.descriptor, memory, size, transfer.file_offset + done)
                    : ::pwrite(transfer.descriptor, memory, size, transfer.file_offset + done);
    } while (count < 0 && errno == EINTR);
    return count;
}

// The part [from, to) by pread or pwrite.
std::expected<TransferEnd, int> move_plainly(const FileTransfer& transfer, std::int64_t from,
                                             std::int64_t to) {
    while (from < to) {
        const ssize_t count = move_once(transfer, from, std::min(to - from, TransferRing::piece_bytes));
        if (count < 0) {
            return std::unexpected(errno);
        }
        if (count == 0) {
            return std::unexpected(ENODATA);
        }
        from += count;
        pause_point(transfer.direction == Direction::read ? "mover-in-load" : "mover-in-flush");
        if (!transfer.moved(from)) {
            return TransferEnd::stopped;
        }
    }
    return TransferEnd::complete;
}

struct Piece {
    std::int64_t from = 0;
    std::int64_t to = 0;
};

// Keeps `depth` requests under way over [0, end). What comes back short is left in `rest`, for the plain way.
class RingMove {
  public:
    RingMove(io_uring& ring, const FileTransfer& transfer, std::int64_t end)
        : ring_(ring), transfer_(transfer), end_(end) {}

    std::expected<TransferEnd, int> run(std::vector<Piece>& rest) {
        bool wanted = true;
        int failure = 0;
        while (under_way_ > 0 || (next_ < end_ && wanted && failure == 0)) {
            while (next_ < end_ && under_way_ < TransferRing::depth && wanted && failure == 0) {
                submit_next();
            }
            io_uring_submit(&ring_);
            io_uring_cqe* done = nullptr;
            const int waited = io_uring_wait_cqe(&ring_, &done);
            if (waited == -EINTR || waited == -EAGAIN) {
                continue;
            }
            if (waited < 0) {
                // Requests are under way and cannot be waited for. This process must not say that they ended.
                std::abort();
            }
            const Piece piece = pieces_[io_uring_cqe_get_data64(done)];
            free_.push_back(static_cast<std::size_t>(io_uring_cqe_get_data64(done)));
            const int result = done->res;
            io_uring_cqe_seen(&ring_, done);
            --under_way_;
            if (result == -EINTR || result == -EAGAIN) {
                rest.push_back(piece);
            } else if (result < 0) {
                failure = -result;
            } else {
                moved_ += result;
                if (piece.from + result < piece.to) {
                    rest.push_back({piece.from + result, piece.to});
                }
                pause_point(transfer_.direction == Direction::read ? "mover-in-load" : "mover-in-flush");
                wanted = transfer_.moved(std::min(moved_, transfer_.bytes)) && wanted;
            }
        }
        if (failure != 0) {
            return std::unexpected(failure);
        }
        return wanted ? TransferEnd::complete : TransferEnd::stopped;
    }

  private:
    void submit_next() {
        if (pieces_.size() < TransferRing::depth) {
            free_.push_back(pieces_.size());
            pieces_.push_back({});
        }
        const std::size_t slot = free_.back();
        free_.pop_back();
        const Piece piece{next_, std::min(end_, next_ + TransferRing::piece_bytes)};
        pieces_[slot] = piece;
        io_uring_sqe* const request = io_uring_get_sqe(&ring_);
        const auto size = static_cast<unsigned>(piece.to - piece.from);
        const auto offset = static_cast<std::uint64_t>(transfer_.file_offset + piece.from);
        if (transfer_.direction == Direction::read) {
            io_uring_prep_read(request, transfer_.descriptor, transfer_.memory + piece.from, size, offset);
        } else {
            io_uring_prep_write(request, transfer_.descriptor, transfer_.memory + piece.from, size, offset);
        }
        io_uring_sqe_set_data64(request, slot);
        next_ = piece.to;
        ++under_way_;
    }

    io_uring& ring_;
    const FileTransfer& transfer_;
    std::int64_t end_;
    std::int64_t next_ = 0;
    std::int64_t moved_ = 0;
    unsigned under_way_ = 0;
    std::vector<Piece> pieces_;
    std::vector<std::size_t> free_;
};

// The longest part that can go around the page cache. A read may take whole blocks: memory before and after the array
// belongs to the same extents. A write must not.
std::int64_t direct_end(const FileTransfer& transfer) {
    return transfer.direction == Direction::read ? (transfer.bytes + block - 1) / block * block
                                                 : transfer.bytes / block * block;
}

bool aligned(const FileTransfer& transfer) {
    return transfer.file_offset % block == 0 &&
           reinterpret_cast<std::uintptr_t>(transfer.memory) % block == 0;
}

}  // namespace

TransferRing::TransferRing() {
    available_ = io_uring_queue_init(depth, &ring_, 0) == 0;
}

TransferRing::~TransferRing() {
    if (available_) {
        io_uring_queue_exit(&ring_);
    }
}

std::expected<TransferResult, int> move_bytes(io_uring* maybe_ring, const FileTransfer& transfer) {
    constexpr std::int64_t least_for_direct = 256 * 1024;
    std::vector<Piece> rest{{0, transfer.bytes}};
    TransferResult result{TransferEnd::complete, "buffered"};
    if (transfer.bytes >= least_for_direct && aligned(transfer) && set_direct(transfer.descriptor)) {
        const std::int64_t end = direct_end(transfer);
        rest.clear();
        std::expected<TransferEnd, int> moved = TransferEnd::complete;
        if (maybe_ring != nullptr) {
            result.method = "io_uring O_DIRECT";
            moved = RingMove(*maybe_ring, transfer, end).run(rest);
        } else {
            result.method = "O_DIRECT";
            moved = move_plainly(transfer, 0, std::min(end, transfer.bytes / block * block));
            rest.push_back({transfer.bytes / block * block, transfer.bytes});
        }
        clear_direct(transfer.descriptor);
        if (!moved && moved.error() == EINVAL) {
            // A file system that accepts the flag and not the requests: everything again, buffered.
            rest.assign(1, {0, transfer.bytes});
            result.method = "buffered";
        } else if (!moved) {
            return std::unexpected(moved.error());
        } else if (*moved == TransferEnd::stopped) {
            return TransferResult{TransferEnd::stopped, result.method};
        }
        rest.push_back({std::min(end, transfer.bytes), transfer.bytes});
    }
    for (const Piece& piece : rest) {
        const auto moved = move_plainly(transfer, piece.from, std::min(piece.to, transfer.bytes));
        if (!moved) {
            return std::unexpected(moved.error());
        }
        if (*moved == TransferEnd::stopped) {
            return TransferResult{TransferEnd::stopped, result.method};
        }
    }
    return result;
}

void clear_direct(int descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_DIRECT) != 0) {
        ::fcntl(descriptor, F_SETFL, flags & ~O_DIRECT);
    }
}

}  // namespace slab::daemon
