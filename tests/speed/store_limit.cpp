// How fast this machine takes streaming stores: the limit that memory-bound kernels are measured against.
//   store_limit [BYTES [PROCESSES [REPETITIONS]]]
// Prints one line of JSON with the median and the least over the repetitions, on warm shared memory on huge pages.

#include "tests/speed/warm_region.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    const std::size_t asked = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : std::size_t{4} << 30;
    const int processes = argc > 2 ? std::atoi(argv[2]) : 2;
    const int repetitions = argc > 3 ? std::atoi(argv[3]) : 11;
    if (processes < 1 || repetitions < 1 || asked < 4096) {
        std::fprintf(stderr, "usage: store_limit [BYTES [PROCESSES [REPETITIONS]]]\n");
        return 2;
    }
    const std::size_t share = asked / static_cast<std::size_t>(processes) / 4096 * 4096;
    const std::size_t bytes = share * static_cast<std::size_t>(processes);
    std::byte* const region = slab::speed::warm_region(bytes);
    slab::speed::PinnedProcesses pinned(processes, [&](int process, int) {
        slab::speed::stream_pattern(region + share * static_cast<std::size_t>(process), share);
    });
    pinned.run(0);  // maps the pages into each process
    std::vector<double> seconds;
    for (int i = 0; i < repetitions; ++i) {
        seconds.push_back(pinned.run(0));
    }
    const double middle = slab::speed::median(seconds);
    std::printf("{\"benchmark\": \"store_limit\", \"bytes\": %zu, \"processes\": %d, \"repetitions\": %d, "
                "\"median_s\": %.6f, \"least_s\": %.6f, \"gb_per_s\": %.2f}\n",
                bytes, processes, repetitions, middle, std::ranges::min(seconds),
                static_cast<double>(bytes) / middle * 1e-9);
}
