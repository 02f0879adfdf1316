// How fast this machine reads so many bytes and takes so many streaming stores at the same time: the limit of kernels
// whose input is not small beside their output.
//   copy_limit READ_BYTES WRITTEN_BYTES [PROCESSES [REPETITIONS]]
// Prints one line of JSON with the median and the least over the repetitions, on warm shared memory on huge pages.

#include "tests/speed/warm_region.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t piece = 4096;

// Adds up words so that no load can be left out; four sums hide the latency of adding.
std::uint64_t sum_of(const std::byte* from, std::size_t bytes) {
    using Vector = std::uint64_t __attribute__((vector_size(32)));
    Vector sums[4] = {};
    const auto* vectors = reinterpret_cast<const Vector*>(from);
    for (std::size_t i = 0; i < bytes / sizeof(Vector); i += 4) {
        for (std::size_t j = 0; j < 4; ++j) {
            sums[j] += vectors[i + j];
        }
    }
    const Vector all = sums[0] + sums[1] + sums[2] + sums[3];
    return all[0] + all[1] + all[2] + all[3];
}

std::size_t whole_pieces(std::size_t bytes) {
    return std::max<std::size_t>(1, bytes / piece) * piece;
}

// In pieces side by side, as a kernel does: each side is as far as the other, in shares of its own length.
void read_and_store(const std::byte* from, std::size_t read, std::byte* to, std::size_t written,
                    volatile std::uint64_t& sink) {
    const std::size_t steps = std::max(read, written) / piece;
    std::uint64_t sum = 0;
    for (std::size_t step = 0; step < steps; ++step) {
        const auto share = [&](std::size_t bytes, std::size_t at) {
            return bytes / piece * at / steps * piece;
        };
        sum += sum_of(from + share(read, step), share(read, step + 1) - share(read, step));
        slab::speed::stream_pattern(to + share(written, step),
                                    share(written, step + 1) - share(written, step));
    }
    sink = sum;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t read = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
    const std::size_t written = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
    const int processes = argc > 3 ? std::atoi(argv[3]) : 2;
    const int repetitions = argc > 4 ? std::atoi(argv[4]) : 11;
    if (processes < 1 || repetitions < 1 || read < piece || written < piece) {
        std::fprintf(stderr, "usage: copy_limit READ_BYTES WRITTEN_BYTES [PROCESSES [REPETITIONS]]\n");
        return 2;
    }
    const auto count = static_cast<std::size_t>(processes);
    const std::size_t read_share = whole_pieces(read / count);
    const std::size_t written_share = whole_pieces(written / count);
    const std::byte* const source = slab::speed::warm_region(read_share * count);
    std::byte* const target = slab::speed::warm_region(written_share * count);
    slab::speed::PinnedProcesses pinned(processes, [&](int process, int) {
        volatile std::uint64_t sink = 0;
        const auto number = static_cast<std::size_t>(process);
        read_and_store(source + read_share * number, read_share, target + written_share * number,
                       written_share, sink);
    });
    pinned.run(0);  // maps the pages into each process
    std::vector<double> seconds;
    for (int i = 0; i < repetitions; ++i) {
        seconds.push_back(pinned.run(0));
    }
    const double middle = slab::speed::median(seconds);
    std::printf(
        "{\"benchmark\": \"copy_limit\", \"bytes_read\": %zu, \"bytes_written\": %zu, \"processes\": %d, "
        "\"repetitions\": %d, \"median_s\": %.6f, \"least_s\": %.6f, \"gb_per_s\": %.2f}\n",
        read_share * count, written_share * count, processes, repetitions, middle, std::ranges::min(seconds),
        static_cast<double>((read_share + written_share) * count) / middle * 1e-9);
}
