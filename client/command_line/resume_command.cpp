#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_note.hpp"
#include "client/command_line/job_report.hpp"
#include "client/command_line/job_watcher.hpp"
#include "client/command_line/stop_signals.hpp"
#include "client/formats/input_file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fcntl.h>

#include <cerrno>

namespace slab {
namespace {

// The files of an interrupted job, opened anew with this user's rights.
struct ReopenedFiles {
    std::vector<UniqueDescriptor> inputs;
    UniqueDescriptor old_output;           // the file that was being written, under its name
    std::optional<OutputFile> new_output;  // in its place, when it is gone

    int output() const { return new_output ? new_output->descriptor() : old_output.get(); }
};

Error cannot_resume(std::int64_t job, std::string because) {
    return {ErrorKind::usage, fmt::format("job {} cannot be resumed by its id alone", job),
            std::move(because),
            "Resume it with the program that submitted it, or give it up with slab drop and run it again."};
}

Error not_that_file(const std::string& path) {
    return {ErrorKind::usage, path + ": another file is there by now", "the job was writing the one before",
            "Move it away; then slab resume makes a new one."};
}

class ResumeCommand final : public Command {
  public:
    std::string_view name() const override { return "resume"; }
    std::string_view summary() const override {
        return "Make a job go on that its daemon's end has interrupted";
    }

    void declare(CLI::App& app) override {
        app.add_option("ID", job_, "The job")->required();
        app.add_flag("--no-wait", no_wait_, "Return at once");
        app.add_flag("--quiet", quiet_, "Neither progress nor the final line");
        common_.declare(app);
    }

    Expected<int> execute() override {
        StopSignals signals;
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        daemon->stop_when_readable(signals.descriptor());
        const Expected<JobStatus> job = daemon->show(job_);
        if (!job) {
            return std::unexpected(job.error());
        }
        JobWatcher watcher(*daemon, quiet_ ? Talk::quiet : common_.json ? Talk::json : Talk::normal);
        Expected<int> code = job->state == JobStatus::State::interrupted ? resume(*daemon, *job, watcher)
                                                                         : accompany(*daemon, *job, watcher);
        watcher.erase();
        if (!code && code.error().kind == ErrorKind::cancelled) {
            return std::unexpected(stopped(*daemon, watcher, signals));
        }
        return code;
    }

  private:
    // Somebody else has its files, or nobody needs them any more.
    Expected<int> accompany(Connection& daemon, const JobStatus& job, JobWatcher& watcher) {
        if (no_wait_ || has_ended(job)) {
            return report(job, "");
        }
        const Expected<JobStatus> ended = daemon.wait(job_, watcher.on_progress());
        watcher.erase();
        return ended ? Expected<int>(report(*ended, "")) : std::unexpected(ended.error());
    }

    Expected<int> resume(Connection& daemon, const JobStatus& job, JobWatcher& watcher) {
        std::optional<JobNote> note = job_note_from(job.note);
        if (!note) {
            return std::unexpected(cannot_resume(job_, "it has no note of its files that slab understands"));
        }
        // As in run: the unnamed output is worth nothing without this process.
        is_attended_ = note->command == JobNote::Command::run && !no_wait_;
        Expected<ReopenedFiles> files = reopen(*note);
        if (!files) {
            return std::unexpected(files.error());
        }
        ResumeRequest request{.job = job_, .submitted_at = job.submitted_at, .output = files->output()};
        request.linked = is_attended_;
        request.watch = !no_wait_;
        for (const UniqueDescriptor& input : files->inputs) {
            request.inputs.push_back(input.get());
        }
        if (files->new_output && !is_attended_) {  // what the next resume has to look for
            note->command = JobNote::Command::submit;
            note->output_file = FileIdentity::of(request.output);
            request.note = to_json(*note);
        }
        return resume_with(daemon, request, *files, note->output, watcher);
    }

    Expected<int> resume_with(Connection& daemon, const ResumeRequest& request, ReopenedFiles& files,
                              const std::string& output, JobWatcher& watcher) {
        const Expected<Connection::Resumed> resumed = daemon.resume(request);
        if (!resumed) {
            return std::unexpected(resumed.error());
        }
        const bool is_ours = resumed->with_these_files;
        if (is_ours && files.new_output && !is_attended_) {
            if (auto named = files.new_output->commit_name(); !named) {
                static_cast<void>(daemon.cancel(job_));
                return std::unexpected(named.error());
            }
        }
        if (no_wait_) {
            return report(resumed->job, "");
        }
        const Expected<JobStatus> ended =
            is_ours ? daemon.wait(request, watcher.on_progress()) : daemon.wait(job_, watcher.on_progress());
        watcher.erase();
        if (!ended) {
            return std::unexpected(ended.error());
        }
        if (ended->outcome == JobStatus::Outcome::done && is_ours && is_attended_ && files.new_output) {
            if (auto committed = files.new_output->commit(); !committed) {
                return std::unexpected(committed.error());
            }
        }
        return report(*ended, is_ours ? output : "");
    }

    Expected<ReopenedFiles> reopen(const JobNote& note) const {
        ReopenedFiles files;
        for (const std::string& path : note.inputs) {
            if (path.empty()) {
                return std::unexpected(cannot_resume(job_, "an input was an array in its program's memory"));
            }
            Expected<UniqueDescriptor> input = open_regular_file(path);
            if (!input) {
                return std::unexpected(input.error());
            }
            files.inputs.push_back(std::move(*input));
        }
        if (note.output.empty()) {
            return files;
        }
        if (note.command == JobNote::Command::submit) {
            files.old_output.reset(::open(note.output.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
            const bool is_gone = !files.old_output && errno == ENOENT;
            if (!files.old_output && !is_gone) {
                return std::unexpected(Error{ErrorKind::usage, note.output + ": the output cannot be opened",
                                             errno_text(errno), "Look at its permissions."});
            }
            // Nothing is overwritten unasked: only the very file that the job had is written again.
            const bool is_that_file = files.old_output && note.output_file &&
                                      FileIdentity::of(files.old_output.get()) == note.output_file;
            if (is_that_file) {
                ::fcntl(files.old_output.get(), F_SETFL, 0);
                return files;
            }
            if (!is_gone && note.existing == ExistingFile::refuse) {
                return std::unexpected(not_that_file(note.output));
            }
            files.old_output.reset();
        }
        Expected<OutputFile> created = is_attended_ ? OutputFile::create(note.output, note.existing)
                                                    : OutputFile::create_in_place(note.output, note.existing);
        if (!created) {
            return std::unexpected(created.error());
        }
        files.new_output.emplace(std::move(*created));
        return files;
    }

    Error stopped(Connection& daemon, const JobWatcher& watcher, StopSignals& signals) const {
        const std::string signal = signals.take();
        if (watcher.daemon_is_away()) {
            return {ErrorKind::cancelled,
                    fmt::format("the wait for the daemon was given up; job {} is interrupted", job_),
                    signal + " stopped it",
                    fmt::format("Once the daemon runs again: slab resume {0}, or slab drop {0}.", job_)};
        }
        if (is_attended_) {
            static_cast<void>(daemon.cancel(job_));
            return {ErrorKind::cancelled, fmt::format("job {} was cancelled", job_),
                    signal + " stopped it; no file was written", ""};
        }
        return {ErrorKind::cancelled, fmt::format("stopped waiting for job {}", job_),
                signal + " stopped this command",
                fmt::format("The job goes on: slab wait {0} waits again, slab cancel {0} ends it.", job_)};
    }

    int report(const JobStatus& job, std::string place) const {
        if (job.kept) {
            place += place.empty() ? "kept in the volume" : " (and kept in the volume)";
        }
        if (common_.json || !quiet_ || (has_ended(job) && job.outcome != JobStatus::Outcome::done)) {
            report_end(job, place, common_.style());
        }
        if (!has_ended(job) && !common_.json && !quiet_) {
            fmt::print("{}\n", summary_of(job, ""));
        }
        return exit_code_of(job);
    }

    CommonOptions common_;
    std::int64_t job_ = 0;
    bool no_wait_ = false;
    bool quiet_ = false;
    bool is_attended_ = false;  // the output has no name until this command gives it one
};

}  // namespace

std::unique_ptr<Command> make_resume_command() {
    return std::make_unique<ResumeCommand>();
}

}  // namespace slab
