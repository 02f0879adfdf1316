#pragma once

#include "client/library/job_status.hpp"

#include <chrono>
#include <string>

namespace slab {

enum class ProgressStyle : std::uint8_t { silent, lines, bar };

// A bar when stderr is a terminal, lines otherwise.
ProgressStyle progress_style_of_stderr();

// One line about a running job, at most `width` characters: state, bar, percent, rate, time left; why it
// waits while it is queued. `elapsed_s` counts from when it began to move.
std::string progress_text(const JobStatus& job, double elapsed_s, std::size_t width);

// Shows a job's progress on stderr. A bar is redrawn at most ten times a second and leaves no trace; lines
// come at most every three seconds. Jobs that are over before that show nothing.
class ProgressDisplay {
  public:
    explicit ProgressDisplay(ProgressStyle style);
    ProgressDisplay(const ProgressDisplay&) = delete;
    ProgressDisplay& operator=(const ProgressDisplay&) = delete;
    ~ProgressDisplay() { erase(); }

    void show(const JobStatus& job);
    void erase();

  private:
    using Clock = std::chrono::steady_clock;

    ProgressStyle style_;
    Clock::time_point last_drawn_;
    Clock::time_point moving_since_;
    bool drawn_ = false;
};

}  // namespace slab
