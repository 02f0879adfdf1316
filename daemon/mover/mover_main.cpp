#include "daemon/mover/mover_main.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/protocol/packet.hpp"
#include "common/units/byte_size.hpp"
#include "daemon/mover/byte_swap.hpp"
#include "daemon/mover/file_transfer.hpp"
#include "daemon/mover/mover_messages.hpp"
#include "daemon/process/process_title.hpp"
#include "daemon/process/plain_record.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <deque>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <vector>

namespace slab::daemon {
namespace {

using Clock = std::chrono::steady_clock;

template <std::size_t Size>
void put(std::array<char, Size>& place, std::string_view text) {
    const std::size_t count = std::min(Size - 1, text.size());
    std::copy_n(text.begin(), count, place.begin());
    place[count] = '\0';
}

// How a file can be bad before a byte of it was moved. Empty: it is good.
std::optional<Error> check_input(int descriptor, const InputBytes& input, std::size_t number) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        return Error{ErrorKind::usage, fmt::format("input {} is not a regular file", number + 1), "",
                     "Give a file, or an array in memory."};
    }
    if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        return Error{ErrorKind::usage, fmt::format("input {} is not open for reading", number + 1), "", ""};
    }
    if (status.st_size < input.file_offset || status.st_size - input.file_offset < input.bytes) {
        return Error{ErrorKind::usage, fmt::format("input {} is shorter than its array", number + 1),
                     fmt::format("the array needs {} bytes from byte {} on, the file has {} bytes",
                                 input.bytes, input.file_offset, status.st_size),
                     "The file may be cut short: compare it with its source."};
    }
    return std::nullopt;
}

Error no_room(int descriptor, std::int64_t bytes) {
    struct statvfs filesystem {};
    ::fstatvfs(descriptor, &filesystem);
    return {ErrorKind::refused, "the output does not fit on its file system",
            fmt::format("it needs {}, {} are free", byte_size_text(bytes),
                        byte_size_text(static_cast<std::int64_t>(filesystem.f_bavail * filesystem.f_frsize))),
            "Free space there, or write to another disk."};
}

// Takes the space now, so that a full disk is an answer and not a half-written file.
std::optional<Error> reserve_output(int descriptor, const OutputBytes& output) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        return Error{ErrorKind::usage, "the output is not a regular file", "",
                     "Name a file that can be created."};
    }
    if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        return Error{ErrorKind::usage, "the output is not open for writing", "", ""};
    }
    std::int64_t end = 0;
    if (__builtin_add_overflow(output.file_offset, output.bytes, &end)) {
        return no_room(descriptor, output.bytes);
    }
    if (::fallocate(descriptor, 0, 0, end) == 0) {
        return std::nullopt;
    }
    const int code = errno;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        return no_room(descriptor, end);
    }
    if (code == EOPNOTSUPP && ::ftruncate(descriptor, end) == 0) {
        return std::nullopt;  // this file system cannot reserve; a full disk will show while writing
    }
    return Error{ErrorKind::failed, "the output cannot be given its size", errno_text(errno), ""};
}

class Mover {
  public:
    Mover(const VolumeSegment& volume, int socket) : volume_(volume), socket_(socket) {}

    void serve() {
        say_ready();
        while (!closed_) {
            if (orders_.empty()) {
                wait_for_orders();
                continue;
            }
            Packet packet = std::move(orders_.front());
            orders_.pop_front();
            carry_out(std::move(packet));
        }
    }

  private:
    void say_ready() {
        MoverReport report{.kind = MoverReportKind::ready};
        if (io_uring* const ring = ring_.get()) {
            const auto* const mapped = static_cast<const std::byte*>(ring->sq.ring_ptr);
            report.ring = {
                ring->ring_fd, static_cast<std::uint32_t>(ring->sq.ring_sz),
                static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(ring->sq.khead) - mapped),
                static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(ring->cq.ktail) - mapped)};
        }
        send(report);
    }

    void send(const MoverReport& report) {
        if (send_packet(socket_, bytes_of(report)) != Transfer::moved) {
            closed_ = true;
        }
    }

    void take_orders() {
        for (;;) {
            if (::recv(socket_, nullptr, 0, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) < 0) {
                return;
            }
            Packet packet;
            if (receive_packet(socket_, packet) != Transfer::moved) {
                closed_ = true;
                return;
            }
            if (record_of<MoverOrder>(packet.bytes).kind == MoverOrderKind::cancel) {
                cancelled_ = true;
            }
            orders_.push_back(std::move(packet));
        }
    }

    void wait_for_orders() {
        pollfd wait{socket_, POLLIN, 0};
        ::poll(&wait, 1, -1);
        take_orders();
    }

    void carry_out(Packet packet) {
        const auto order = record_of<MoverOrder>(packet.bytes);
        switch (order.kind) {
        case MoverOrderKind::check: start_job(order, std::move(packet.descriptors)); break;
        case MoverOrderKind::load: load(order); break;
        case MoverOrderKind::flush:
            flush(order, std::string_view(packet.bytes).substr(sizeof(MoverOrder)));
            break;
        case MoverOrderKind::cancel: end_cancelled(order.job); break;
        case MoverOrderKind::finish: finish(); break;
        }
    }

    void start_job(const MoverOrder& order, std::vector<UniqueDescriptor> descriptors) {
        set_process_title(fmt::format("slabd: mover {}", order.job));
        cancelled_ = false;
        failed_ = false;
        files_ = std::move(descriptors);
        has_output_ = order.has_output != 0;
        pause_point("mover-before-check");
        for (std::size_t i = 0; i < order.input_count; ++i) {
            if (const auto problem = check_input(files_[i].get(), order.inputs[i], i)) {
                fail(order.job, *problem);
                return;
            }
        }
        if (has_output_) {
            if (const auto problem = reserve_output(files_.back().get(), order.output)) {
                fail(order.job, *problem);
                return;
            }
        }
        if (!loads_next(order)) {
            send({.kind = MoverReportKind::checked, .job = order.job});
        }
    }

    // The load of a small job is here already: "loaded" will say both, and wake the supervisor once.
    bool loads_next(const MoverOrder& check) {
        constexpr std::int64_t small = 1 << 20;
        std::int64_t bytes = 0;
        for (std::size_t i = 0; i < check.input_count; ++i) {
            bytes += std::min(small, check.inputs[i].bytes);
        }
        take_orders();
        return bytes < small && !orders_.empty() &&
               record_of<MoverOrder>(orders_.front().bytes).kind == MoverOrderKind::load;
    }

    // Moves one file's bytes, tells progress at most every 100 ms. False when the job has ended by it.
    bool transfer(const MoverOrder& order, FileTransfer file, std::int64_t before, std::string_view name,
                  std::array<char, 32>& method) {
        file.moved = [this, &order, before](std::int64_t bytes) {
            take_orders();
            if (const auto now = Clock::now(); now >= next_progress_) {
                next_progress_ = now + std::chrono::milliseconds(100);
                send({.kind = MoverReportKind::progress, .job = order.job, .bytes = before + bytes});
            }
            return !cancelled_ && !closed_;
        };
        const auto result = move_bytes(order.may_use_ring != 0 ? ring_.get() : nullptr, file);
        if (result) {
            put(method, result->method);
            return result->end == TransferEnd::complete;
        }
        const bool full = result.error() == ENOSPC || result.error() == EDQUOT;
        const std::string because =
            result.error() == ENODATA ? "it became shorter while it was read" : errno_text(result.error());
        fail(order.job,
             {ErrorKind::failed,
              fmt::format("{} cannot be {}", name, file.direction == Direction::read ? "read" : "written"),
              because, full ? "Free space there, or write to another disk." : ""});
        return false;
    }

    void load(const MoverOrder& order) {
        if (failed_) {
            return;  // sent before the supervisor heard that the check failed
        }
        pause_point("mover-before-load");
        const auto start = Clock::now();
        MoverReport report{.kind = MoverReportKind::loaded, .job = order.job};
        for (std::size_t i = 0; i < order.input_count && !cancelled_; ++i) {
            const InputBytes& input = order.inputs[i];
            // From the block that holds the first byte on: the extent's memory before the array is free to take it.
            constexpr std::int64_t block = 4096;
            const std::int64_t lead = input.file_offset % block;
            FileTransfer file{.descriptor = files_[i].get(),
                              .direction = Direction::read,
                              .file_offset = input.file_offset - lead,
                              .memory = volume_.data() + input.volume_offset - lead,
                              .bytes = input.bytes + lead,
                              .moved = {}};
            if (!transfer(order, std::move(file), report.bytes, fmt::format("input {}", i + 1),
                          report.method)) {
                return;
            }
            swap_bytes(volume_.data() + input.volume_offset, input.bytes, input.swap_unit);
            report.bytes += input.bytes;
        }
        if (cancelled_) {
            return;
        }
        pause_point("mover-before-report");
        report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
        send(report);
    }

    void flush(const MoverOrder& order, std::string_view header) {
        pause_point("mover-before-flush");
        const auto start = Clock::now();
        MoverReport report{.kind = MoverReportKind::flushed, .job = order.job};
        const int file = files_.back().get();
        if (!transfer(order,
                      {.descriptor = file,
                       .direction = Direction::write,
                       .file_offset = order.output.file_offset,
                       .memory = volume_.data() + order.output.volume_offset,
                       .bytes = order.output.bytes,
                       .moved = {}},
                      0, "the output", report.method)) {
            return;
        }
        pause_point("mover-before-header");
        if (const int failure = write_header(file, header); failure != 0) {
            fail(order.job, {ErrorKind::failed, "the output cannot be written", errno_text(failure), ""});
            return;
        }
        pause_point("mover-before-report");
        report.bytes = order.output.bytes;
        report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
        send(report);
    }

    // The header is what makes the file valid: it is written when the payload is on disk.
    static int write_header(int file, std::string_view header) {
        if (::fdatasync(file) != 0) {
            return errno;
        }
        if (header.empty()) {
            return 0;
        }
        const ssize_t count = ::pwrite(file, header.data(), header.size(), 0);
        if (count != static_cast<ssize_t>(header.size())) {
            return count < 0 ? errno : ENOSPC;
        }
        return ::fdatasync(file) != 0 ? errno : 0;
    }

    // An output that will not be finished gives its space back; without its header it is no valid file anyway.
    void empty_output() {
        if (has_output_ && !files_.empty()) {
            clear_direct(files_.back().get());
            [[maybe_unused]] const int ignored = ::ftruncate(files_.back().get(), 0);
        }
    }

    void fail(JobId job, const Error& error) {
        failed_ = true;
        empty_output();
        MoverReport report{.kind = MoverReportKind::failed, .job = job};
        report.error_kind = static_cast<std::uint8_t>(error.kind);
        put(report.what, error.what);
        put(report.because, error.because);
        put(report.remedy, error.remedy);
        send(report);
    }

    void end_cancelled(JobId job) {
        if (!failed_) {
            empty_output();
        }
        send({.kind = MoverReportKind::cancelled, .job = job});
    }

    void finish() {
        files_.clear();
        has_output_ = false;
        cancelled_ = false;
        failed_ = false;
        set_process_title("slabd: mover");
    }

    const VolumeSegment& volume_;
    int socket_;
    TransferRing ring_;
    std::deque<Packet> orders_;
    std::vector<UniqueDescriptor> files_;
    Clock::time_point next_progress_{};
    bool has_output_ = false;
    bool cancelled_ = false;
    bool failed_ = false;
    bool closed_ = false;
};

}  // namespace

void run_mover(const VolumeSegment& volume, UniqueDescriptor supervisor) {
    Mover(volume, supervisor.get()).serve();
}

}  // namespace slab::daemon
