#include "client/formats/gzip_output.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <isa-l/igzip_lib.h>

namespace slab {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;
// Beside the block itself: gzip's header and end, and five bytes for each 64 KiB that cannot be packed.
constexpr std::size_t most_overhead = 1024;
constexpr std::size_t most_threads = 8;

// ISA-L's level 2. Of an int16 scan 1 MiB goes to 1/3.43 at 790 MB/s a CPU (level 1: 1/3.41 at 850, level 3: 1/3.39 at
// 470); zlib's level 1 to 1/3.29 at 79 MB/s, level 6 to 1/3.37 at 24; libdeflate's levels 1 to 6 to between 1/3.32 and 1/3.47 at
// 70 to 105. Of smooth float32 all to 1/1.14: 810 against 10 and 57 MB/s.
constexpr int level = 2;

std::size_t thread_count() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const bool is_known = ::sched_getaffinity(0, sizeof(set), &set) == 0;
    return std::clamp<std::size_t>(is_known ? static_cast<std::size_t>(CPU_COUNT(&set)) : 1, 1, most_threads);
}

// A reader of the sink that goes away is an error to be told, and no signal.
void block_broken_pipe_signal() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

struct GzipOutput::Block {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::vector<std::uint8_t> plain = std::vector<std::uint8_t>(block_bytes);
    std::vector<std::uint8_t> packed = std::vector<std::uint8_t>(block_bytes + most_overhead);
    std::size_t packed_bytes = 0;
    std::vector<std::uint8_t> level_buffer = std::vector<std::uint8_t>(ISAL_DEF_LVL2_DEFAULT);

    // Nothing is kept from block to block: a member can be read without those before.
    bool pack() {
        isal_zstream stream;
        ::isal_deflate_stateless_init(&stream);
        stream.level = level;
        stream.level_buf = level_buffer.data();
        stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
        stream.gzip_flag = IGZIP_GZIP;
        stream.end_of_stream = 1;
        stream.next_in = plain.data();
        stream.avail_in = static_cast<std::uint32_t>(bytes);
        stream.next_out = packed.data();
        stream.avail_out = static_cast<std::uint32_t>(packed.size());
        const int answer = ::isal_deflate_stateless(&stream);
        packed_bytes = stream.total_out;
        return answer == COMP_OK && stream.avail_in == 0;
    }
};

Expected<std::unique_ptr<GzipOutput>> GzipOutput::start(int sink, const std::string& name) {
    std::unique_ptr<GzipOutput> output(new GzipOutput(sink, name));
    int ends[2] = {-1, -1};
    output->stop_event_.reset(::eventfd(0, EFD_CLOEXEC));
    if (!output->stop_event_ || ::pipe2(ends, O_CLOEXEC) != 0) {
        return std::unexpected(Error{ErrorKind::failed, name + ": the result cannot be packed",
                                     errno_text(errno), "Close some files, or write to one without .gz."});
    }
    output->exit_.reset(ends[0]);
    output->entrance_.reset(ends[1]);
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(block_bytes));  // as much as the system allows
    const std::size_t count = thread_count();
    output->running_ = count;
    for (std::size_t i = 0; i < count; ++i) {
        output->threads_.emplace_back([raw = output.get()] { raw->pack_blocks(); });
    }
    return output;
}

GzipOutput::~GzipOutput() {
    stop();
    entrance_.reset();
    threads_.clear();  // joins
}

Expected<void> GzipOutput::finish() {
    entrance_.reset();
    threads_.clear();
    const auto problem = failure();
    return problem ? Expected<void>(std::unexpected(*problem)) : Expected<void>();
}

std::optional<Error> GzipOutput::failure() const {
    const std::lock_guard lock(writing_);
    return failure_;
}

void GzipOutput::stop() {
    is_stopped_ = true;
    const std::uint64_t one = 1;
    static_cast<void>(::write(stop_event_.get(), &one, sizeof(one)));
    const std::lock_guard lock(writing_);
    turn_.notify_all();
}

void GzipOutput::fail(std::string what, std::string because) {
    {
        const std::lock_guard lock(writing_);
        if (!failure_) {
            failure_ = Error{ErrorKind::failed, std::move(what), std::move(because),
                             "Make room, or write elsewhere; then run it again."};
        }
    }
    stop();
}

void GzipOutput::pack_blocks() {
    block_broken_pipe_signal();
    Block block;
    while (read_block(block)) {
        if (!block.pack()) {
            fail(name_ + ": the result cannot be packed", "ISA-L has no room for a block");
            break;
        }
        write_block(block);
    }
    if (--running_ == 0) {
        exit_.reset();  // whoever still writes gets a broken pipe
    }
}

// False at the end, and when packing is stopped. An empty stream is one empty block.
bool GzipOutput::read_block(Block& block) {
    const std::lock_guard lock(reading_);
    block.bytes = 0;
    while (!has_ended_ && block.bytes < block_bytes) {
        if (!wait_for(exit_.get(), POLLIN)) {
            return false;
        }
        const ssize_t count =
            ::read(exit_.get(), block.plain.data() + block.bytes, block_bytes - block.bytes);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            has_ended_ = true;
            fail(name_ + ": the result cannot be packed", errno_text(errno));
            return false;
        }
        has_ended_ = count == 0;
        block.bytes += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    if (block.bytes == 0 && next_read_ > 0) {
        return false;
    }
    block.number = next_read_++;
    return true;
}

void GzipOutput::write_block(const Block& block) {
    {
        std::unique_lock lock(writing_);
        turn_.wait(lock, [&] { return is_stopped_ || next_written_ == block.number; });
    }
    struct stat status {};
    const bool is_file = ::fstat(sink_, &status) == 0 && S_ISREG(status.st_mode);
    // Of a pipe that can be written poll() promises no more, and whoever gives up must not wait for its reader.
    const std::size_t most = is_file ? block.packed_bytes : PIPE_BUF;
    std::size_t done = 0;  // it is this thread's turn: nobody else writes
    while (done < block.packed_bytes) {
        if (!wait_for(sink_, POLLOUT)) {
            return;
        }
        const ssize_t count =
            ::write(sink_, block.packed.data() + done, std::min(block.packed_bytes - done, most));
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            fail(name_ + ": the packed result cannot be written", errno_text(errno));
            return;
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    const std::lock_guard lock(writing_);
    ++next_written_;
    turn_.notify_all();
}

// False when packing is stopped.
bool GzipOutput::wait_for(int descriptor, short events) const {
    pollfd waits[2] = {{stop_event_.get(), POLLIN, 0}, {descriptor, events, 0}};
    while (!is_stopped_) {
        if (::poll(waits, 2, -1) > 0 && waits[1].revents != 0) {
            return !is_stopped_;
        }
    }
    return false;
}

}  // namespace slab
