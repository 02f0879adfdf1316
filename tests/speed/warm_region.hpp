#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

namespace slab::speed {

// Memory that all processes share, on huge pages where the machine gives any, touched before it is returned.
// 2 MiB-aligned; never unmapped, the program ends soon.
std::byte* warm_region(std::size_t bytes);

// Forked once, pinned to one CPU each, they run the same act again and again on shared memory.
class PinnedProcesses {
  public:
    // act(process, what): what is the number that run() was given.
    PinnedProcesses(int count, std::function<void(int process, int what)> act);
    ~PinnedProcesses();
    PinnedProcesses(const PinnedProcesses&) = delete;
    PinnedProcesses& operator=(const PinnedProcesses&) = delete;

    // From the moment all are told to begin until the last has finished, in seconds.
    double run(int what);

  private:
    struct Shared;
    void serve(int process, const std::function<void(int, int)>& act);

    int count_;
    Shared* shared_;
    std::array<int, 2> done_{};  // a pipe: a byte from each that has finished
};

double median(std::vector<double> values);

// Streams `bytes` of a pattern to `to` past the caches: what memory takes at most. 64-byte aligned.
void stream_pattern(std::byte* to, std::size_t bytes);

}  // namespace slab::speed
