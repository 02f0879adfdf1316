#include "daemon/mover/transfer_queue.hpp"

#include "common/pausing/fault_point.hpp"
#include "common/pausing/pause_point.hpp"
#include "common/recording/write_recording.hpp"
#include "daemon/mover/gzip_reader.hpp"
#include "daemon/mover/sandbox.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

constexpr std::int64_t block = 4096;  // the strictest alignment that O_DIRECT asks for
constexpr std::int64_t least_for_direct = 256 * 1024;
constexpr std::int64_t inflate_bytes = std::int64_t{1}
                                       << 20;  // about 2 ms; then the disk is looked after again

bool set_direct(int descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    return flags >= 0 && ((flags & O_DIRECT) != 0 || ::fcntl(descriptor, F_SETFL, flags | O_DIRECT) == 0);
}

// A file in memory gains nothing, whatever its kernel answers.
bool may_be_direct(int descriptor) {
    struct statfs filesystem {};
    if (::fstatfs(descriptor, &filesystem) == 0 &&
        (filesystem.f_type == TMPFS_MAGIC || filesystem.f_type == HUGETLBFS_MAGIC)) {
        return false;
    }
    return set_direct(descriptor);
}

bool is_congruent(const FileTransfer& transfer) {
    return (reinterpret_cast<std::uintptr_t>(transfer.memory) -
            static_cast<std::uint64_t>(transfer.file_offset)) %
               block ==
           0;
}

void record(const FileTransfer& transfer, std::int64_t from, std::int64_t bytes) {
    if (transfer.direction == Direction::write && !transfer.is_sequential) {
        record_write(transfer.descriptor, transfer.file_offset + from,
                     {transfer.memory + from, static_cast<std::size_t>(bytes)});
    }
}

std::string_view pause_name(Direction direction) {
    return direction == Direction::read ? "mover-in-load" : "mover-in-flush";
}

}  // namespace

TransferRing::TransferRing() {
    available_ = io_uring_queue_init(depth, &ring_, IORING_SETUP_R_DISABLED) == 0;
    if (available_ && !restrict_ring(ring_)) {
        io_uring_queue_exit(&ring_);
        available_ = false;
    }
}

TransferRing::~TransferRing() {
    if (available_) {
        io_uring_queue_exit(&ring_);
    }
}

void TransferQueue::add(const FileTransfer& transfer) {
    Active active{.transfer = transfer,
                  .method = "buffered",
                  .direct = {},
                  .plain = {},
                  .under_way = 0,
                  .error_number = 0,
                  .trouble = {}};
    const std::int64_t past_block = transfer.file_offset % block;
    if (transfer.inflater != nullptr || transfer.is_sequential) {
        active.method = transfer.inflater != nullptr ? "gzip" : "in order";
        active.plain.push_back({0, transfer.bytes});
    } else if (transfer.bytes < least_for_direct || !is_congruent(transfer) ||
               !may_be_direct(transfer.descriptor)) {
        active.plain.push_back({0, transfer.bytes});
    } else if (transfer.direction == Direction::read) {
        active.direct = {-past_block, (transfer.bytes + past_block + block - 1) / block * block - past_block};
    } else {
        // Two bands may share a block of the file: its parts go through the page cache, each byte once.
        const std::int64_t head = past_block == 0 ? 0 : block - past_block;
        const std::int64_t tail = (transfer.file_offset + transfer.bytes) % block;
        active.direct = {head, transfer.bytes - tail};
        active.plain = {{0, head}, {transfer.bytes - tail, transfer.bytes}};
    }
    if (active.direct.from < active.direct.to) {
        active.method = ring() != nullptr ? "io_uring O_DIRECT" : "O_DIRECT";
    }
    active_.push_back(std::move(active));
}

void TransferQueue::step() {
    if (ring() != nullptr) {
        submit();
    }
    const bool moved = move_plainly();
    if (under_way_ > 0) {
        reap(!moved);
    }
    retire();
}

void TransferQueue::stop() {
    for (Active& active : active_) {
        active.error_number = active.error_number == 0 ? ECANCELED : active.error_number;
    }
}

std::optional<EndedTransfer> TransferQueue::take_ended() {
    if (ended_.empty()) {
        return std::nullopt;
    }
    const EndedTransfer ended = ended_.front();
    ended_.pop_front();
    return ended;
}

// Round the transfers, a piece of each: a large write does not keep the next band from being loaded.
void TransferQueue::submit() {
    for (bool any = true; any;) {
        any = false;
        for (Active& active : active_) {
            any |= submit_one(active);
        }
    }
    io_uring_submit(ring());
}

bool TransferQueue::submit_one(Active& active) {
    const bool wanted = active.direct.from < active.direct.to && active.error_number == 0;
    if (!wanted || under_way_ >= TransferRing::depth) {
        return false;
    }
    if (free_.empty() && under_way_ == 0) {
        for (std::size_t slot = 0; slot < pieces_.size(); ++slot) {
            free_.push_back(slot);
        }
    }
    const FileTransfer& transfer = active.transfer;
    set_direct(transfer.descriptor);
    const std::size_t slot = free_.back();
    free_.pop_back();
    const Span span{active.direct.from,
                    std::min(active.direct.to, active.direct.from + TransferRing::piece_bytes)};
    pieces_[slot] = {&active, span};
    io_uring_sqe* const request = io_uring_get_sqe(ring());
    const auto size = static_cast<unsigned>(span.to - span.from);
    const auto offset = static_cast<std::uint64_t>(transfer.file_offset + span.from);
    if (transfer.direction == Direction::read) {
        io_uring_prep_read(request, transfer.descriptor, transfer.memory + span.from, size, offset);
    } else {
        io_uring_prep_write(request, transfer.descriptor, transfer.memory + span.from, size, offset);
    }
    io_uring_sqe_set_data64(request, slot);
    active.direct.from = span.to;
    ++active.under_way;
    ++under_way_;
    return true;
}

void TransferQueue::reap(bool wait) {
    io_uring_cqe* done = nullptr;
    if (wait) {
        const int waited = io_uring_wait_cqe(ring(), &done);
        if (waited < 0 && waited != -EINTR && waited != -EAGAIN) {
            // Requests are under way and cannot be waited for. This process must not say that they ended.
            std::abort();
        }
    }
    while (io_uring_peek_cqe(ring(), &done) == 0) {
        const auto slot = static_cast<std::size_t>(io_uring_cqe_get_data64(done));
        const int result = done->res;
        io_uring_cqe_seen(ring(), done);
        free_.push_back(slot);
        --under_way_;
        --pieces_[slot].owner->under_way;
        completed(pieces_[slot], result);
    }
}

void TransferQueue::completed(const Piece& piece, int result) {
    Active& active = *piece.owner;
    const FileTransfer& transfer = active.transfer;
    const int fault = fault_point(transfer.direction == Direction::read ? "mover-read" : "mover-write");
    if (fault != 0) {
        result = -fault;
    }
    if (result == -EINTR || result == -EAGAIN) {
        active.plain.push_back(
            {std::max<std::int64_t>(0, piece.span.from), std::min(piece.span.to, transfer.bytes)});
    } else if (result == -EINVAL) {
        // A file system that accepts the flag and not the requests: everything again, buffered.
        active.direct = {};
        active.plain.assign(1, {0, transfer.bytes});
        active.method = "buffered";
    } else if (result < 0) {
        active.error_number = -result;
    } else {
        count(active, result);
        record(transfer, piece.span.from, result);
        // What came back short: the end of the file, or the kernel's whim.
        const std::int64_t from = std::max<std::int64_t>(0, piece.span.from + result);
        if (from < std::min(piece.span.to, transfer.bytes)) {
            active.plain.push_back({from, std::min(piece.span.to, transfer.bytes)});
        }
        pause_point(pause_name(transfer.direction));
    }
}

// One piece of the oldest transfer that has any. False: there was none.
bool TransferQueue::move_plainly() {
    for (Active& active : active_) {
        if (active.error_number != 0) {
            continue;
        }
        while (!active.plain.empty() && active.plain.front().from >= active.plain.front().to) {
            active.plain.pop_front();
        }
        const bool direct_calls = ring() == nullptr && active.direct.from < active.direct.to;
        if (direct_calls) {
            move_piece(active, active.direct, true);
            return true;
        }
        if (!active.plain.empty()) {
            Span& span = active.plain.front();
            if (active.transfer.inflater != nullptr) {
                inflate(active, span);
            } else {
                move_piece(active, span, false);
            }
            return true;
        }
    }
    return false;
}

void TransferQueue::move_piece(Active& active, Span& span, bool around_the_cache) {
    const FileTransfer& transfer = active.transfer;
    if (around_the_cache) {
        set_direct(transfer.descriptor);
    } else if (!transfer.is_sequential) {
        clear_direct(transfer.descriptor);
    }
    std::byte* const memory = transfer.memory + span.from;
    const auto size = static_cast<std::size_t>(std::min(span.to - span.from, TransferRing::piece_bytes));
    const std::int64_t offset = transfer.file_offset + span.from;
    ssize_t moved = transfer.is_sequential ? ::write(transfer.descriptor, memory, size)
                    : transfer.direction == Direction::read
                        ? ::pread(transfer.descriptor, memory, size, offset)
                        : ::pwrite(transfer.descriptor, memory, size, offset);
    int failure = moved < 0 ? errno : 0;
    if (const int fault = fault_point(transfer.direction == Direction::read ? "mover-read" : "mover-write");
        fault != 0) {
        failure = fault;
    }
    if (failure == EINTR) {
        return;
    }
    if (failure == EAGAIN && transfer.is_sequential) {
        ::usleep(1000);  // somebody made the pipe non-blocking; it is theirs too
        return;
    }
    if (around_the_cache && failure == EINVAL) {
        active.direct = {};
        active.plain.assign(1, {0, transfer.bytes});
        active.method = "buffered";
        return;
    }
    if (failure != 0) {
        active.error_number = failure;
        return;
    }
    span.from += moved;
    if (around_the_cache && moved < static_cast<ssize_t>(size)) {
        // The end of the file, or a rest that is no whole block.
        const std::int64_t end = transfer.direction == Direction::read ? transfer.bytes : span.to;
        active.plain.push_back({std::max<std::int64_t>(0, span.from), end});
        active.direct = {};
    } else if (moved == 0) {
        active.error_number = ENODATA;
        return;
    }
    count(active, moved);
    record(transfer, offset - transfer.file_offset, moved);
    pause_point(pause_name(transfer.direction));
}

// Straight into the volume. A mover that was started late first passes over what others loaded before it.
void TransferQueue::inflate(Active& active, Span& span) {
    GzipReader& inflater = *active.transfer.inflater;
    const std::int64_t wanted = active.transfer.file_offset + span.from;
    const bool catches_up = inflater.position() < wanted;
    const auto moved =
        catches_up ? inflater.skip(std::min(wanted - inflater.position(), TransferRing::piece_bytes))
                   : inflater.read({active.transfer.memory + span.from,
                                    static_cast<std::size_t>(std::min(span.to - span.from, inflate_bytes))});
    if (!moved) {
        active.error_number = moved.error().problem == GzipProblem::stopped ? ECANCELED : EBADMSG;
        active.trouble = to_error(moved.error(), "").because;
        return;
    }
    if (*moved == 0) {
        active.error_number = ENODATA;
        return;
    }
    span.from += catches_up ? 0 : *moved;
    count(active, *moved);
    pause_point("mover-in-load");
}

void TransferQueue::count(const Active& active, std::int64_t bytes) {
    (active.transfer.direction == Direction::read ? bytes_read_ : bytes_written_) += bytes;
}

void TransferQueue::retire() {
    for (auto active = active_.begin(); active != active_.end();) {
        std::erase_if(active->plain, [](const Span& span) { return span.from >= span.to; });
        const bool all_moved = active->plain.empty() && active->direct.from >= active->direct.to;
        if (active->under_way > 0 || (active->error_number == 0 && !all_moved)) {
            ++active;
            continue;
        }
        const int descriptor = active->transfer.is_sequential ? -1 : active->transfer.descriptor;
        ended_.push_back(
            {active->transfer.tag, active->error_number, active->method, std::move(active->trouble)});
        active = active_.erase(active);
        if (std::ranges::none_of(active_, [descriptor](const Active& other) {
                return other.transfer.descriptor == descriptor;
            })) {
            clear_direct(descriptor);
        }
    }
}

void clear_direct(int descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_DIRECT) != 0) {
        ::fcntl(descriptor, F_SETFL, flags & ~O_DIRECT);
    }
}

}  // namespace slab::daemon
