// How fast this machine reads so many bytes and takes so many streaming stores at the same time: the limit of kernels
// whose input is not small beside their output.
//   copy_limit READ_BYTES WRITTEN_BYTES [PROCESSES [REPETITIONS [ROW_BYTES PITCH_BYTES]]]
// With rows: what is read are rows of so many bytes, so far apart, READ_BYTES in all.
// Prints one line of JSON with the median and the least over the repetitions, on warm shared memory on huge pages.

#include "tests/speed/read_and_stream.hpp"
#include "tests/speed/warm_region.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t piece = 4096;

std::size_t whole_pieces(std::size_t bytes) {
    return std::max<std::size_t>(1, bytes / piece) * piece;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t read = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
    const std::size_t written = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
    const int processes = argc > 3 ? std::atoi(argv[3]) : 2;
    const int repetitions = argc > 4 ? std::atoi(argv[4]) : 11;
    const slab::speed::ReadRows rows = argc > 6 ? slab::speed::ReadRows{std::strtoull(argv[5], nullptr, 10),
                                                                        std::strtoull(argv[6], nullptr, 10)}
                                                : slab::speed::ReadRows{};
    if (processes < 1 || rows.pitch < rows.bytes || repetitions < 1 || read < piece || written < piece) {
        std::fprintf(
            stderr,
            "usage: copy_limit READ_BYTES WRITTEN_BYTES [PROCESSES [REPETITIONS [ROW_BYTES PITCH_BYTES]]]\n");
        return 2;
    }
    const auto count = static_cast<std::size_t>(processes);
    const std::size_t read_share = whole_pieces(read / count);
    const std::size_t written_share = whole_pieces(written / count);
    // The rows' last pitch and line may lie beyond.
    const std::size_t source_share =
        rows.bytes == 0 ? read_share : whole_pieces((read_share / rows.bytes + 2) * rows.pitch + piece);
    const std::byte* const source = slab::speed::warm_region(source_share * count);
    std::byte* const target = slab::speed::warm_region(written_share * count);
    slab::speed::PinnedProcesses pinned(processes, [&](int process, int) {
        const auto number = static_cast<std::size_t>(process);
        slab::speed::read_and_stream(source + source_share * number, read_share,
                                     target + written_share * number, written_share, rows);
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
