#include "client/command_line/job_watcher.hpp"

#include "common/units/duration.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace slab {
namespace {

std::string patience_text(std::chrono::milliseconds patience) {
    constexpr std::chrono::seconds in_seconds_up_to{120};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
    return seconds == patience && seconds <= in_seconds_up_to ? fmt::format("{} s", seconds.count())
                                                              : duration_text(patience);
}

ProgressStyle progress_style(Talk talk) {
    const ProgressStyle style = talk == Talk::quiet ? ProgressStyle::silent : progress_style_of_stderr();
    return talk == Talk::json && style == ProgressStyle::lines ? ProgressStyle::silent : style;
}

}  // namespace

JobWatcher::JobWatcher(Connection& daemon, Talk talk) : daemon_(daemon), display_(progress_style(talk)) {
    daemon_.on_presence([this, talk](DaemonPresence presence, std::chrono::milliseconds patience) {
        daemon_is_away_ = presence == DaemonPresence::lost;
        display_.erase();
        if (daemon_is_away_ && talk != Talk::quiet) {
            fmt::print(stderr, "the daemon went away; waiting for it, up to {} (Ctrl-C to give up)\n",
                       patience_text(patience));
        }
    });
}

JobWatcher::~JobWatcher() {
    daemon_.on_presence({});
}

ProgressCallback JobWatcher::on_progress() {
    return [this](const JobStatus& job) {
        newest_ = job;
        display_.show(job);
    };
}

}  // namespace slab
