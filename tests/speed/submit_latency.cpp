// What a small job costs a client of a running daemon: a 1 KiB array in a memfd goes in, its zoom by 2 is kept,
// attached, read and dropped, again and again over one connection.
//   submit_latency SOCKET [REPETITIONS [PAUSE_US]]
// PAUSE_US: rest between two jobs, so that the processes sleep and the CPUs cool down as on a quiet machine.
// Prints one line of JSON. The clock starts before libslab copies the array into its memfd. The limit beside it is what
// the wake-ups alone cost: a job goes client -> supervisor -> mover -> supervisor -> worker -> supervisor -> client, that
// is three round trips between two processes over a socketpair.

#include "client/library/slab.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t side = 32;  // 32 x 32 bytes are 1 KiB
constexpr int warm_up_jobs = 200;
constexpr int round_trips = 2000;
constexpr int round_trips_of_a_job = 3;

// Microseconds from the submit on: admitted (submit has returned), done (so has wait), attached (a byte of the result
// was read).
struct Latency {
    double admitted = 0;
    double done = 0;
    double attached = 0;
};

template <typename Value>
Value value_or_exit(slab::Expected<Value> value) {
    if (!value) {
        std::fprintf(stderr, "%s\n", slab::to_text(value.error()).c_str());
        std::exit(1);
    }
    return std::move(*value);
}

double microseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void rest(int pause_us) {
    if (pause_us > 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
    }
}

std::array<std::byte, side * side> counting_bytes() {
    std::array<std::byte, side * side> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i * 7);
    }
    return bytes;
}

slab::JobRequest zoom_by_two(std::span<const std::byte> input) {
    slab::JobRequest request{};
    request.kernel = "zoom";
    request.parameters = {{"factor", std::int64_t{2}}, {"convention", std::string("floor")}};
    request.inputs.push_back(slab::InputArray::from_memory(
        {slab::DType::uint8, slab::Shape{side, side}, slab::MemoryOrder::c}, input));
    request.keep = true;
    return request;
}

void check_result(const slab::Attachment& result, std::span<const std::byte> input) {
    for (std::size_t y = 0; y < 2 * side; ++y) {
        for (std::size_t x = 0; x < 2 * side; ++x) {
            if (result.bytes()[y * 2 * side + x] != input[y / 2 * side + x / 2]) {
                std::fprintf(stderr, "the result is wrong at (%zu, %zu)\n", y, x);
                std::exit(1);
            }
        }
    }
}

Latency run_one(slab::Connection& daemon, const slab::JobRequest& request, std::span<const std::byte> input) {
    Latency latency;
    const auto start = Clock::now();
    const slab::JobStatus submitted = value_or_exit(daemon.submit(request));
    latency.admitted = microseconds_since(start);
    const slab::JobStatus ended = value_or_exit(daemon.wait(submitted.id));
    latency.done = microseconds_since(start);
    if (ended.outcome != slab::JobStatus::Outcome::done) {
        std::fprintf(stderr, "%s\n", slab::to_text(slab::error_of(ended)).c_str());
        std::exit(1);
    }
    {
        const slab::Attachment result = value_or_exit(daemon.attach(ended.id));
        static_cast<void>(*static_cast<const volatile std::byte*>(result.data()));
        latency.attached = microseconds_since(start);
        check_result(result, input);
    }
    value_or_exit(daemon.drop(ended.id));
    return latency;
}

double at_share(const std::vector<double>& sorted, double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

// The two ends on two CPUs, or the scheduler now and then puts both on one, where a wake-up costs next to nothing.
void pin_to_nth(int number, const cpu_set_t& allowed) {
    int cpu = -1;
    for (int found = 0; found <= number % CPU_COUNT(&allowed); ++found) {
        do {
            ++cpu;
        } while (!CPU_ISSET(static_cast<std::size_t>(cpu), &allowed));
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(cpu), &one);
    sched_setaffinity(0, sizeof(one), &one);
}

[[noreturn]] void echo_until_closed(int socket) {
    std::array<char, 64> message{};
    while (read(socket, message.data(), message.size()) > 0) {
        if (write(socket, message.data(), message.size()) < 0) {
            break;
        }
    }
    _exit(0);
}

// Microseconds, median, of 64 bytes to another process and back; both sleep while they wait.
double round_trip_us(int pause_us) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        std::perror("socketpair");
        std::exit(1);
    }
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof(allowed), &allowed);
    const pid_t echo = fork();
    if (echo == 0) {
        close(ends[0]);
        pin_to_nth(1, allowed);
        echo_until_closed(ends[1]);
    }
    close(ends[1]);
    pin_to_nth(0, allowed);
    std::vector<double> times;
    std::array<char, 64> message{};
    for (int i = 0; i < round_trips; ++i) {
        const auto start = Clock::now();
        if (write(ends[0], message.data(), message.size()) < 0 ||
            read(ends[0], message.data(), message.size()) <= 0) {
            std::perror("round trip");
            std::exit(1);
        }
        times.push_back(microseconds_since(start));
        rest(pause_us);
    }
    close(ends[0]);
    waitpid(echo, nullptr, 0);
    sched_setaffinity(0, sizeof(allowed), &allowed);
    std::ranges::sort(times);
    return at_share(times, 0.5);
}

void print_distribution(const char* name, const std::vector<Latency>& all, double Latency::*field) {
    std::vector<double> values;
    for (const Latency& one : all) {
        values.push_back(one.*field);
    }
    std::ranges::sort(values);
    std::printf(", \"%s\": {\"least\": %.1f, \"median\": %.1f, \"p90\": %.1f, \"p99\": %.1f}", name,
                values.front(), at_share(values, 0.5), at_share(values, 0.9), at_share(values, 0.99));
}

}  // namespace

int main(int argc, char** argv) {
    const int repetitions = argc > 2 ? std::atoi(argv[2]) : 2000;
    const int pause_us = argc > 3 ? std::atoi(argv[3]) : 0;
    if (argc < 2 || repetitions < 1 || pause_us < 0) {
        std::fprintf(stderr, "usage: submit_latency SOCKET [REPETITIONS [PAUSE_US]]\n");
        return 2;
    }
    const double round_trip = round_trip_us(pause_us);
    slab::Connection daemon =
        value_or_exit(slab::Connection::open({.socket = argv[1], .client = "submit_latency"}));
    const auto input = counting_bytes();
    const slab::JobRequest request = zoom_by_two(input);
    std::vector<Latency> all;
    for (int i = -warm_up_jobs; i < repetitions; ++i) {
        const Latency latency = run_one(daemon, request, input);
        if (i >= 0) {
            all.push_back(latency);
        }
        rest(pause_us);
    }
    std::printf(
        "{\"benchmark\": \"submit_latency\", \"bytes_in\": %lld, \"bytes_out\": %lld, \"repetitions\": %d, "
        "\"pause_us\": %d, \"round_trip_us\": %.1f, \"limit_us\": %.1f",
        static_cast<long long>(side * side), static_cast<long long>(4 * side * side), repetitions, pause_us,
        round_trip, round_trips_of_a_job * round_trip);
    print_distribution("submit_to_admitted_us", all, &Latency::admitted);
    print_distribution("submit_to_done_us", all, &Latency::done);
    print_distribution("submit_to_attached_us", all, &Latency::attached);
    std::printf("}\n");
}
