// How fast this machine takes O_DIRECT writes with io_uring: the limit that streaming jobs are measured against.
//   write_limit FILE BYTES [DEPTH [PIECE_BYTES]]
// Makes FILE (it must not exist), reserves its space, writes so many bytes with as many requests under way as a mover
// has, syncs, removes FILE. Prints one line of JSON. Space is reserved before the clock runs, as for slabd's job it is
// before the first band: `reserve_s` says what it took.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void give_up(const char* what, int error_number) {
    std::fprintf(stderr, "write_limit: %s: %s\n", what, std::strerror(error_number));
    std::exit(1);
}

// Every piece from the same memory: the disk does not look at it, and the memory's rate is no part of the limit.
void write_all(io_uring& ring, int file, const std::byte* memory, long long bytes, unsigned depth,
               long long piece_bytes) {
    long long next = 0;
    unsigned under_way = 0;
    while (next < bytes || under_way > 0) {
        while (next < bytes && under_way < depth) {
            const long long size = std::min(piece_bytes, bytes - next);
            io_uring_sqe* const request = io_uring_get_sqe(&ring);
            io_uring_prep_write(request, file, memory + (under_way % depth) * piece_bytes,
                                static_cast<unsigned>(size), static_cast<unsigned long long>(next));
            io_uring_sqe_set_data64(request, static_cast<unsigned long long>(size));
            next += size;
            ++under_way;
        }
        io_uring_submit(&ring);
        io_uring_cqe* done = nullptr;
        if (const int failure = io_uring_wait_cqe(&ring, &done); failure < 0) {
            give_up("io_uring_wait_cqe", -failure);
        }
        if (done->res < 0 || static_cast<unsigned long long>(done->res) != io_uring_cqe_get_data64(done)) {
            give_up("write", done->res < 0 ? -done->res : EIO);
        }
        io_uring_cqe_seen(&ring, done);
        --under_way;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const long long asked = argc > 2 ? std::strtoll(argv[2], nullptr, 10) : 0;
    const unsigned depth = argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : 16;
    const long long piece_bytes = argc > 4 ? std::strtoll(argv[4], nullptr, 10) : 4LL << 20;
    if (asked <= 0 || depth < 1 || piece_bytes < 4096 || piece_bytes % 4096 != 0) {
        std::fprintf(stderr, "usage: write_limit FILE BYTES [DEPTH [PIECE_BYTES]]\n");
        return 2;
    }
    const long long bytes = (asked + 4095) / 4096 * 4096;
    const int file = ::open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_DIRECT, 0600);
    if (file < 0) {
        give_up(argv[1], errno);
    }
    ::unlink(argv[1]);  // whatever happens now, nothing is left of it
    const auto memory_bytes = static_cast<std::size_t>(piece_bytes) * depth;
    void* const memory = ::mmap(nullptr, memory_bytes, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        give_up("mmap", errno);
    }
    std::memset(memory, 1, memory_bytes);
    io_uring ring{};
    if (const int failure = io_uring_queue_init(depth, &ring, 0); failure < 0) {
        give_up("io_uring_queue_init", -failure);
    }
    const auto begin = Clock::now();
    if (::fallocate(file, 0, 0, bytes) != 0) {
        give_up("fallocate", errno);
    }
    const double reserve_s = seconds_since(begin);
    const auto reserved = Clock::now();
    write_all(ring, file, static_cast<const std::byte*>(memory), bytes, depth, piece_bytes);
    if (::fdatasync(file) != 0) {
        give_up("fdatasync", errno);
    }
    const double write_s = seconds_since(reserved);
    std::printf("{\"benchmark\": \"write_limit\", \"bytes\": %lld, \"depth\": %u, \"piece_bytes\": %lld, "
                "\"reserve_s\": %.6f, \"write_s\": %.6f, \"gb_per_s\": %.2f}\n",
                bytes, depth, piece_bytes, reserve_s, write_s, static_cast<double>(bytes) / write_s * 1e-9);
}
