#include "tests/speed/warm_region.hpp"

#include <immintrin.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace slab::speed {

std::byte* warm_region(std::size_t bytes) {
    constexpr std::size_t huge = std::size_t{2} << 20;
    const std::size_t rounded = (bytes + huge - 1) / huge * huge;
    void* reserved =
        mmap(nullptr, rounded + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const auto begin = (reinterpret_cast<std::uintptr_t>(reserved) + huge - 1) / huge * huge;
    void* mapped = mmap(reinterpret_cast<void*>(begin), rounded, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (mapped == MAP_FAILED) {
        std::perror("mmap");
        std::exit(1);
    }
    auto* region = static_cast<std::byte*>(mapped);
    // One byte per huge page, then collapse: collapsing an untouched range is refused.
    std::size_t collapsed = 0;
    for (std::size_t at = 0; at < rounded; at += huge) {
        region[at] = std::byte{1};
        collapsed += madvise(region + at, huge, MADV_COLLAPSE) == 0 ? 1 : 0;
    }
    if (collapsed * huge != rounded) {
        std::fprintf(stderr, "%zu of %zu MiB are on huge pages\n", collapsed * 2, rounded >> 20);
    }
    std::memset(region, 1, rounded);
    return region;
}

constexpr int most_processes = 256;

struct PinnedProcesses::Shared {
    using Moment = std::chrono::steady_clock::time_point;
    std::atomic<int> round{0};
    std::atomic<int> what{0};
    std::atomic<bool> ending{false};
    std::array<std::atomic<Moment>, most_processes> finished{};
};

PinnedProcesses::PinnedProcesses(int count, std::function<void(int, int)> act) : count_(count) {
    void* page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (page) Shared;
    if (count > most_processes || pipe(done_.data()) != 0) {
        std::fprintf(stderr, "%d processes: at most %d\n", count, most_processes);
        std::exit(1);
    }
    for (int process = 0; process < count; ++process) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(process, act);
            _exit(0);
        }
    }
}

PinnedProcesses::~PinnedProcesses() {
    shared_->ending = true;
    shared_->round.fetch_add(1);
    for (int process = 0; process < count_; ++process) {
        wait(nullptr);
    }
}

void PinnedProcesses::serve(int process, const std::function<void(int, int)>& act) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(process) % static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_ONLN)),
            &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    for (int round = 1;; ++round) {
        while (shared_->round.load(std::memory_order_acquire) < round) {
            _mm_pause();
        }
        if (shared_->ending) {
            return;
        }
        act(process, shared_->what);
        shared_->finished[static_cast<std::size_t>(process)] = std::chrono::steady_clock::now();
        const char done = 1;
        if (write(done_[1], &done, 1) != 1) {
            _exit(1);
        }
    }
}

double PinnedProcesses::run(int what) {
    usleep(2000);  // until all wait for the word
    shared_->what = what;
    const auto begin = std::chrono::steady_clock::now();
    shared_->round.fetch_add(1, std::memory_order_release);
    // Sleeps until the last has finished: every CPU is taken by a pinned process, and looking now and then would stop one.
    auto end = begin;
    for (int process = 0; process < count_; ++process) {
        char done = 0;
        if (read(done_[0], &done, 1) != 1) {
            std::perror("read");
            std::exit(1);
        }
    }
    for (int process = 0; process < count_; ++process) {
        end = std::max(end, shared_->finished[static_cast<std::size_t>(process)].load());
    }
    return std::chrono::duration<double>(end - begin).count();
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

__attribute__((target("avx512f"))) static void stream_pattern_64(std::byte* to, std::size_t bytes) {
    const __m512i pattern = _mm512_set1_epi8(7);
    for (std::size_t i = 0; i < bytes; i += 256) {
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), pattern);
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i + 64), pattern);
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i + 128), pattern);
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i + 192), pattern);
    }
    _mm_sfence();
}

static void stream_pattern_16(std::byte* to, std::size_t bytes) {
    const __m128i pattern = _mm_set1_epi8(7);
    for (std::size_t i = 0; i < bytes; i += 64) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), pattern);
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i + 16), pattern);
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i + 32), pattern);
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i + 48), pattern);
    }
    _mm_sfence();
}

void stream_pattern(std::byte* to, std::size_t bytes) {
    if (__builtin_cpu_supports("avx512f")) {
        stream_pattern_64(to, bytes);
    } else {
        stream_pattern_16(to, bytes);
    }
}

}  // namespace slab::speed
