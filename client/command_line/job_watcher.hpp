#pragma once

#include "client/command_line/progress_display.hpp"
#include "client/library/connection.hpp"

#include <optional>

namespace slab {

// How much a command says beside its result: a bar on a terminal; lines otherwise, but none beside --json, whose
// reader wants the object alone; nothing with --quiet.
enum class Talk : std::uint8_t { normal, json, quiet };

// While this lives and its command waits for a job: the job's progress and, when the daemon goes away, that.
// On stderr.
class JobWatcher {
  public:
    JobWatcher(Connection& daemon, Talk talk);
    JobWatcher(const JobWatcher&) = delete;
    JobWatcher& operator=(const JobWatcher&) = delete;
    ~JobWatcher();

    // For Connection's calls that wait.
    ProgressCallback on_progress();

    // Takes the progress off the terminal.
    void erase() { display_.erase(); }

    // The job as it was last heard of; nothing: its id is not known.
    const std::optional<JobStatus>& newest() const { return newest_; }
    bool daemon_is_away() const { return daemon_is_away_; }

  private:
    Connection& daemon_;
    ProgressDisplay display_;
    std::optional<JobStatus> newest_;
    bool daemon_is_away_ = false;
};

}  // namespace slab
