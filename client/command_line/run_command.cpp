#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/each_file.hpp"
#include "client/command_line/job_options.hpp"
#include "client/command_line/job_report.hpp"
#include "client/command_line/job_watcher.hpp"
#include "client/command_line/kernel_help.hpp"
#include "client/command_line/motion_outputs.hpp"
#include "client/command_line/plan_text.hpp"
#include "client/command_line/stop_signals.hpp"
#include "common/protocol/message.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class RunCommand final : public Command {
  public:
    std::string_view name() const override { return "run"; }
    std::string_view summary() const override {
        return "Run a kernel, show progress, wait, and write the result to a file";
    }
    std::vector<ParameterWord>* parameter_words() override { return &job_.parameter_words(); }

    void declare(CLI::App& app) override {
        job_.declare(app);
        app.add_option(
               "--each", each_,
               "Run the job once for every file that the pattern matches, as its first input: '*.npy'")
            ->type_name("PATTERN");
        app.add_option("--out-dir", out_dir_, "With --each: the folder of the results")->type_name("FOLDER");
        motion_options_.declare(app);
        app.add_flag("--plan", plan_, "Print what would be done and held, and stop");
        app.add_flag("--daemon", needs_daemon_, "Do not start a private daemon when none is running");
        common_.declare_plugins(app);
        app.add_flag("--quiet", quiet_, "Neither progress nor the final line");
        common_.declare(app);
        app.set_help_flag("");
        app.add_flag("-h,--help", help_, "This help; with a kernel, the kernel's");
        app.footer(
            "slab run --python MODULE:FUNCTION INPUT... -o OUTPUT has a Python function of your own fill the "
            "tiles: see slab run --python --help");
        app_ = &app;
    }

    Expected<int> execute() override {
        if (help_) {
            return help();
        }
        Expected<JobArguments> arguments = job_.resolve();
        if (!arguments) {
            return std::unexpected(arguments.error());
        }
        motion_options_.complete(*arguments);
        if (each_.empty() != out_dir_.empty() && each_.empty()) {
            return std::unexpected(Error{ErrorKind::usage, "--out-dir is for the results of --each", "",
                                         "Give -o FILE for a single result."});
        }
        if (!each_.empty()) {
            return run_each(std::move(*arguments));
        }
        Expected<PreparedJob> job = prepare_job(*arguments);
        if (!job) {
            return std::unexpected(job.error());
        }
        if (auto usable = check_streams(*job); !usable) {
            return std::unexpected(usable.error());
        }
        // Before the signals are ours: the open of a pipe waits for its reader, and Ctrl-C must end that.
        if (job->place != OutputPlace::file && !plan_) {
            Expected<UniqueDescriptor> stream = open_output_stream(job->place, job->output_path);
            if (!stream) {
                return std::unexpected(stream.error());
            }
            stream_ = std::move(*stream);
        }
        StopSignals signals;
        Expected<Connection> daemon = connect(arguments->keep && !plan_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        daemon->stop_when_readable(signals.descriptor());
        if (auto completed = complete_job(*job, *arguments, *daemon); !completed) {
            return std::unexpected(completed.error());
        }
        if (auto place = check_place(*job, *daemon); !place) {
            return std::unexpected(place.error());
        }
        Expected<int> result = plan_ ? plan(*daemon, *job) : run(*daemon, *job, *arguments, signals);
        if (!result && result.error().kind == ErrorKind::cancelled && result.error().because.empty()) {
            result.error().what = "the job was cancelled";
            result.error().because = signals.take() + " stopped this command; " + what_was_written(*job);
        }
        return result;
    }

  private:
    Expected<int> run_each(JobArguments arguments) {
        if (plan_) {
            return std::unexpected(
                Error{ErrorKind::usage, "--plan is for one job", "", "Leave --each away and name one file."});
        }
        auto each = EachFile::of(std::move(arguments), motion_options_, each_, out_dir_);
        if (!each) {
            return std::unexpected(each.error());
        }
        StopSignals signals;
        Expected<Connection> daemon = connect(false);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        daemon->stop_when_readable(signals.descriptor());
        return each->run(*daemon, signals, talk());
    }

    // A result that is an array needs a place; one that is a number is printed.
    Expected<void> check_place(const PreparedJob& job, Connection& daemon) const {
        if (plan_ || job.format || job.request.keep) {
            return {};
        }
        const Expected<PlannedJob> plan = daemon.plan(job.request);
        if (!plan) {
            return std::unexpected(plan.error());
        }
        if (!plan->is_answer) {
            return std::unexpected(Error{ErrorKind::usage, "the result has nowhere to go",
                                         "neither -o nor --keep is given",
                                         "Give -o FILE, or --keep to leave it in the daemon's volume."});
        }
        return {};
    }

    Expected<int> help() {
        if (job_.kernel().empty() || job_.kernel().ends_with(".toml")) {
            fmt::print("{}", app_->help());
            return 0;
        }
        Expected<Connection> daemon = connect(false);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        const Expected<KernelInfo> kernel = daemon->kernel(job_.kernel());
        if (!kernel) {
            return std::unexpected(kernel.error());
        }
        fmt::print("{}", kernel_help(*kernel));
        return 0;
    }

    Expected<Connection> connect(bool keeps) {
        if (!keeps) {
            return connect_or_start(common_, needs_daemon_ ? Fallback::none : Fallback::embedded);
        }
        if (!common_.plugins.empty()) {
            return std::unexpected(
                Error{ErrorKind::usage, "--plugin and --keep do not go together",
                      "a plug-in of the command line runs in a private instance, which ends with it",
                      "Write the result to a file with -o."});
        }
        Expected<Connection::Attempt> attempt = look_for_daemon(common_);
        if (!attempt) {
            return std::unexpected(attempt.error());
        }
        if (!attempt->connection) {
            return std::unexpected(
                Error{ErrorKind::no_daemon, "--keep needs a daemon, and none is running", attempt->absence,
                      "Start one (systemctl start slabd, or slabd & for yourself), or write the "
                      "result to a file with -o instead."});
        }
        return std::move(*attempt->connection);
    }

    Expected<int> plan(Connection& daemon, const PreparedJob& job) {
        const Expected<PlannedJob> plan = daemon.plan(job.request);
        if (!plan) {
            return std::unexpected(plan.error());
        }
        if (common_.json) {
            print_json(plan->json);
        } else {
            fmt::print("{}", plan_text(*plan));
        }
        return 0;
    }

    Expected<void> check_streams(const PreparedJob& job) const {
        if (common_.json && !plan_ && job.place == OutputPlace::standard_output) {
            return std::unexpected(
                Error{ErrorKind::usage, "two things would go to the standard output",
                      "--json prints an object there and -o - the array",
                      "Leave --json away, or write to a pipe of its own: mkfifo, then -o PIPE."});
        }
        return {};
    }

    static std::string what_was_written(const PreparedJob& job) {
        return job.place == OutputPlace::file ? "no file was written"
                                              : "what was written to the stream is a part";
    }

    Talk talk() const { return quiet_ ? Talk::quiet : common_.json ? Talk::json : Talk::normal; }

    Expected<int> run(Connection& daemon, PreparedJob& job, const JobArguments& arguments,
                      StopSignals& signals) {
        std::optional<JobOutput> output;
        std::optional<MotionOutputs> motion;
        if (job.format || motion_options_.are_given()) {
            const Expected<void> opened = open_outputs(daemon, job, output, motion);
            if (!opened) {
                return std::unexpected(opened.error());
            }
        }
        job.request.linked = true;
        set_note(job, arguments, JobNote::Command::run);
        JobWatcher watcher(daemon, talk());
        const Expected<JobStatus> ended = daemon.run_to_end(job.request, watcher.on_progress());
        watcher.erase();
        if (!ended && ended.error().kind == ErrorKind::cancelled && watcher.newest()) {
            return std::unexpected(cancelled(daemon, watcher, job, signals));
        }
        if (const auto failure = output ? output->failure() : std::nullopt) {
            return std::unexpected(*failure);
        }
        if (!ended) {
            return std::unexpected(ended.error());
        }
        if (ended->outcome == JobStatus::Outcome::done && output) {
            if (auto committed = output->commit(); !committed) {
                return std::unexpected(committed.error());
            }
        }
        Expected<void> motion_written;
        if (ended->outcome == JobStatus::Outcome::done && motion) {
            motion_written = motion->write(job, ended->result);
        }
        const int code = report(*ended, job, motion && motion_written ? &*motion : nullptr);
        if (talk() == Talk::normal && motion) {
            fmt::print(job.place == OutputPlace::standard_output ? stderr : stdout, "{}", motion->summary());
        }
        if (!motion_written) {
            return std::unexpected(motion_written.error());
        }
        return code;
    }

    // The plan tells the result's shape, which the kernel decides, for its header; and whether there is motion.
    Expected<void> open_outputs(Connection& daemon, PreparedJob& job, std::optional<JobOutput>& output,
                                std::optional<MotionOutputs>& motion) {
        const Expected<PlannedJob> plan = daemon.plan(job.request);
        if (!plan) {
            return std::unexpected(plan.error());
        }
        auto files = MotionOutputs::open(motion_options_, job, *plan);
        if (!files) {
            return std::unexpected(files.error());
        }
        if (*files) {
            motion.emplace(std::move(**files));
        }
        if (!job.format) {
            return {};
        }
        Expected<JobOutput> opened =
            stream_ ? JobOutput::to_stream(std::move(stream_), job.output_path, job.packing)
                    : JobOutput::to_file(job.output_path, job.existing, job.packing);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        output.emplace(std::move(*opened));
        return set_output(job, *output, *plan);
    }

    // The end of the connection would cancel the job too; asking for it makes sure that it has ended when
    // this command has. A second Ctrl-C ends the asking.
    static Error cancelled(Connection& daemon, const JobWatcher& watcher, const PreparedJob& job,
                           StopSignals& signals) {
        const std::int64_t id = watcher.newest()->id;
        const std::string signal = signals.take();
        if (watcher.daemon_is_away() && watcher.newest()->durable) {
            return {ErrorKind::cancelled,
                    fmt::format("the wait for the daemon was given up; job {} is interrupted", id),
                    fmt::format("{} stopped it; {}", signal, what_was_written(job)),
                    fmt::format("Once the daemon runs again: slab resume {0}, or slab drop {0}.", id)};
        }
        if (!daemon.is_embedded()) {
            static_cast<void>(daemon.cancel(id));
        }
        return {ErrorKind::cancelled, fmt::format("job {} was cancelled", id),
                fmt::format("{} stopped it; {}", signal, what_was_written(job)), ""};
    }

    int report(JobStatus job, const PreparedJob& prepared, const MotionOutputs* motion) const {
        const bool is_done = job.outcome == JobStatus::Outcome::done;
        std::string place =
            prepared.place == OutputPlace::standard_output ? "standard output" : prepared.output_path;
        if (job.kept) {
            place += place.empty() ? "kept in the volume" : " (and kept in the volume)";
        }
        if (common_.json && (!prepared.output_path.empty() || motion) && is_done) {
            Json object = Json::parse(job.json);
            if (!prepared.output_path.empty()) {
                object["file"] = prepared.output_path;
            }
            if (motion) {
                object["motion_files"] = motion->paths();
            }
            job.json = object.dump(-1, ' ', false, Json::error_handler_t::replace);
        }
        const bool is_printed = is_done && !prepared.format && !prepared.request.keep && !job.result.empty();
        if (is_printed && !common_.json) {
            fmt::print("{}\n", job.result);
        } else if (is_done && prepared.place == OutputPlace::standard_output) {
            if (!quiet_) {
                fmt::print(stderr, "{}\n", summary_of(job, place));
            }
        } else if (!quiet_ || common_.json || !is_done) {
            report_end(job, place, common_.style());
        }
        return exit_code_of(job);
    }

    UniqueDescriptor stream_;  // stdout or a pipe, when the result goes there
    JobOptions job_;
    MotionOptions motion_options_;
    CommonOptions common_;
    CLI::App* app_ = nullptr;
    std::vector<std::string> each_;
    std::string out_dir_;
    bool plan_ = false;
    bool needs_daemon_ = false;
    bool quiet_ = false;
    bool help_ = false;
};

}  // namespace

std::unique_ptr<Command> make_run_command() {
    return std::make_unique<RunCommand>();
}

}  // namespace slab
