#pragma once

#include "client/command_line/job_arguments.hpp"
#include "client/command_line/job_watcher.hpp"
#include "client/command_line/motion_outputs.hpp"
#include "client/command_line/stop_signals.hpp"

#include <deque>
#include <string>
#include <vector>

namespace slab {

// One job for each of many files: the file is the job's first input, and its result goes to a file of the same name in a
// folder. The next file is loaded while this one is computed. One that fails, fails alone.
class EachFile {
  public:
    // Errors of kind usage: a pattern that matches nothing, two files whose results would have one name. Makes the folder.
    static Expected<EachFile> of(JobArguments job, MotionOptions motion,
                                 const std::vector<std::string>& patterns, const std::string& folder);

    // To the last file. Errors only when nothing more can be done: a signal, no daemon. The code is the worst of the jobs'.
    Expected<int> run(Connection& daemon, StopSignals& signals, Talk talk);

  private:
    struct Begun {
        std::string path;
        PreparedJob job;
        std::optional<JobOutput> output;
        std::optional<MotionOutputs> motion;
        JobStatus status;
        std::string motion_summary;  // of one that has ended
    };
    struct Failure {
        std::string path;
        Error error;
    };

    EachFile(JobArguments job, MotionOptions motion, std::vector<std::string> paths, std::string folder)
        : job_(std::move(job)), motion_(std::move(motion)), paths_(std::move(paths)),
          folder_(std::move(folder)) {}

    std::string result_path(const std::string& path) const;
    Expected<Begun> begin(Connection& daemon, const std::string& path) const;
    Expected<JobStatus> finish(Connection& daemon, Begun& begun, JobWatcher& watcher) const;
    Error stopped(Connection& daemon, std::deque<Begun>& under_way, StopSignals& signals,
                  std::size_t done) const;
    void tell(const Begun& begun, const JobStatus& ended, Talk talk) const;
    void sum_up(const std::vector<std::string>& done, const std::vector<Failure>& failures, Talk talk) const;

    JobArguments job_;
    MotionOptions motion_;
    std::vector<std::string> paths_;
    std::string folder_;  // empty: the jobs answer with numbers
};

}  // namespace slab
