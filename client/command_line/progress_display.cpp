#include "client/command_line/progress_display.hpp"

#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace slab {
namespace {

constexpr std::chrono::milliseconds bar_interval{100};
constexpr std::chrono::seconds line_interval{3};
constexpr std::size_t usual_width = 80;

std::size_t terminal_width() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual_width;
}

bool is_moving(const JobStatus& job) {
    return job.state != JobStatus::State::received && job.state != JobStatus::State::queued &&
           job.state != JobStatus::State::waiting_for_space && job.state != JobStatus::State::interrupted;
}

double fraction_done(const JobStatus& job) {
    return job.tiles > 0
               ? std::clamp(static_cast<double>(job.tiles_done) / static_cast<double>(job.tiles), 0.0, 1.0)
               : 0.0;
}

}  // namespace

ProgressStyle progress_style_of_stderr() {
    return ::isatty(STDERR_FILENO) == 1 ? ProgressStyle::bar : ProgressStyle::lines;
}

std::string progress_text(const JobStatus& job, double elapsed_s, std::size_t width) {
    const std::string begin = fmt::format("job {} {} {}", job.id, job.kernel, name_of(job.state));
    std::string end;
    if (!is_moving(job)) {
        end = job.reason.empty() ? "" : ": " + job.reason;
        return (begin + end).substr(0, width);
    }
    const double fraction = fraction_done(job);
    end = fmt::format(" {:3.0f} %", 100 * fraction);
    if (fraction > 0 && elapsed_s > 0) {
        const double bytes_per_s = static_cast<double>(job.bytes_out) * fraction / elapsed_s;
        end += fmt::format("  {}/s", byte_size_text(static_cast<std::int64_t>(bytes_per_s)));
        if (fraction < 1) {
            const double left_s = elapsed_s * (1 - fraction) / fraction;
            end += left_s < 10
                       ? fmt::format("  {:.1f} s left", left_s)
                       : fmt::format("  {} left", duration_text(std::chrono::duration<double>(left_s)));
        }
    }
    constexpr std::size_t least_bar = 10;
    constexpr std::size_t most_bar = 40;
    const std::size_t used = begin.size() + end.size() + 3;  // brackets and a space
    if (used + least_bar > width) {
        return (begin + end).substr(0, width);
    }
    const std::size_t length = std::min(most_bar, width - used);
    const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(length));
    return fmt::format("{} [{}{}]{}", begin, std::string(filled, '#'), std::string(length - filled, '-'),
                       end);
}

ProgressDisplay::ProgressDisplay(ProgressStyle style)
    : style_(style), last_drawn_(Clock::now()), moving_since_(last_drawn_) {}

void ProgressDisplay::show(const JobStatus& job) {
    const Clock::time_point now = Clock::now();
    if (!is_moving(job)) {
        moving_since_ = now;
    }
    if (style_ == ProgressStyle::silent || has_ended(job) ||
        now - last_drawn_ < (style_ == ProgressStyle::bar ? Clock::duration(bar_interval) : line_interval)) {
        return;
    }
    last_drawn_ = now;
    const double elapsed_s = std::chrono::duration<double>(now - moving_since_).count();
    if (style_ == ProgressStyle::lines) {
        fmt::print(stderr, "{}\n", progress_text(job, elapsed_s, usual_width));
        return;
    }
    // The last column stays empty: some terminals wrap when it is written.
    fmt::print(stderr, "\r\x1b[K{}", progress_text(job, elapsed_s, terminal_width() - 1));
    std::fflush(stderr);
    drawn_ = true;
}

void ProgressDisplay::erase() {
    if (drawn_) {
        fmt::print(stderr, "\r\x1b[K");
        std::fflush(stderr);
        drawn_ = false;
    }
}

}  // namespace slab
