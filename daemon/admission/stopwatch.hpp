#pragma once

#include <chrono>

namespace slab::daemon {

using Clock = std::chrono::steady_clock;

// How long something was under way in all: several may be at once, the time counts once.
class Stopwatch {
  public:
    void start() {
        if (running_++ == 0) {
            since_ = Clock::now();
        }
        used_ = true;
    }
    void stop() {
        if (running_ > 0 && --running_ == 0) {
            total_ += Clock::now() - since_;
        }
    }
    void stop_all() {
        running_ = running_ > 0 ? 1 : 0;
        stop();
    }
    // Negative: it was never started.
    double seconds() const {
        const auto now = running_ > 0 ? Clock::now() - since_ : Clock::duration{};
        return used_ ? std::chrono::duration<double>(total_ + now).count() : -1;
    }

  private:
    Clock::duration total_{};
    Clock::time_point since_;
    int running_ = 0;
    bool used_ = false;
};

}  // namespace slab::daemon
