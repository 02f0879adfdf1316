#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_options.hpp"
#include "client/command_line/job_report.hpp"
#include "client/command_line/kernel_help.hpp"
#include "client/command_line/plan_text.hpp"
#include "client/command_line/progress_display.hpp"
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
    Parameters* parameters() override { return &job_.parameters(); }

    void declare(CLI::App& app) override {
        job_.declare(app);
        app.add_flag("--plan", plan_, "Print what would be done and held, and stop");
        app.add_flag("--daemon", needs_daemon_, "Do not start a private daemon when none is running");
        app.add_flag("--quiet", quiet_, "Neither progress nor the final line");
        common_.declare(app);
        app.set_help_flag("");
        app.add_flag("-h,--help", help_, "This help; with a kernel, the kernel's");
        app_ = &app;
    }

    Expected<int> execute() override {
        if (help_) {
            return help();
        }
        const Expected<JobArguments> arguments = job_.resolve();
        if (!arguments) {
            return std::unexpected(arguments.error());
        }
        if (arguments->output.empty() && !arguments->keep && !plan_) {
            return std::unexpected(Error{ErrorKind::usage, "the result has nowhere to go",
                                         "neither -o nor --keep is given",
                                         "Give -o FILE, or --keep to leave it in the daemon's volume."});
        }
        Expected<PreparedJob> job = prepare_job(*arguments);
        if (!job) {
            return std::unexpected(job.error());
        }
        StopSignals signals;
        Expected<Connection> daemon = connect(arguments->keep && !plan_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        daemon->stop_when_readable(signals.descriptor());
        Expected<int> result = plan_ ? plan(*daemon, *job) : run(*daemon, *job, signals);
        if (!result && result.error().kind == ErrorKind::cancelled && result.error().because.empty()) {
            result.error().what = "the job was cancelled";
            result.error().because = signals.take() + " stopped this command; no file was written";
        }
        return result;
    }

  private:
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

    Expected<int> run(Connection& daemon, PreparedJob& job, StopSignals& signals) {
        std::optional<OutputFile> file;
        if (job.format) {
            const Expected<void> opened = open_output(daemon, job, file);
            if (!opened) {
                return std::unexpected(opened.error());
            }
        }
        job.request.linked = true;
        const Expected<JobStatus> submitted = daemon.submit(job.request);
        if (!submitted) {
            return std::unexpected(submitted.error());
        }
        // Nothing on a pipe beside the object when a program reads it; a person at a terminal still wants the
        // bar.
        ProgressStyle style = quiet_ ? ProgressStyle::silent : progress_style_of_stderr();
        if (common_.json && style == ProgressStyle::lines) {
            style = ProgressStyle::silent;
        }
        ProgressDisplay progress(style);
        Expected<JobStatus> ended =
            daemon.wait(submitted->id, [&progress](const JobStatus& status) { progress.show(status); });
        progress.erase();
        if (!ended && ended.error().kind == ErrorKind::cancelled) {
            return std::unexpected(cancelled(daemon, submitted->id, signals));
        }
        if (!ended) {
            return std::unexpected(ended.error());
        }
        if (ended->outcome == JobStatus::Outcome::done && file) {
            if (auto committed = file->commit(); !committed) {
                return std::unexpected(committed.error());
            }
        }
        return report(*ended, job);
    }

    static Expected<void> open_output(Connection& daemon, PreparedJob& job, std::optional<OutputFile>& file) {
        ArrayDescription array;
        if (*job.format !=
            OutputFormat::raw) {  // the header tells the result's shape, which the kernel decides
            const Expected<PlannedJob> plan = daemon.plan(job.request);
            if (!plan) {
                return std::unexpected(plan.error());
            }
            array = plan->output.value_or(array);
        }
        Expected<OutputFile> opened = OutputFile::create(job.output_path, job.existing);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        file.emplace(std::move(*opened));
        set_output(job, *file, array);
        return {};
    }

    // The end of the connection would cancel the job too; asking for it makes sure that it has ended when
    // this command has. A second Ctrl-C ends the asking.
    static Error cancelled(Connection& daemon, std::int64_t job, StopSignals& signals) {
        const std::string signal = signals.take();
        if (!daemon.is_embedded()) {
            static_cast<void>(daemon.cancel(job));
        }
        return {ErrorKind::cancelled, fmt::format("job {} was cancelled", job),
                fmt::format("{} stopped it; no file was written", signal), ""};
    }

    int report(JobStatus job, const PreparedJob& prepared) const {
        std::string place = prepared.output_path;
        if (job.kept) {
            place += place.empty() ? "kept in the volume" : " (and kept in the volume)";
        }
        if (common_.json && !prepared.output_path.empty() && job.outcome == JobStatus::Outcome::done) {
            Json object = Json::parse(job.json);
            object["file"] = prepared.output_path;
            job.json = object.dump(-1, ' ', false, Json::error_handler_t::replace);
        }
        if (!quiet_ || common_.json || job.outcome != JobStatus::Outcome::done) {
            report_end(job, place, common_.style());
        }
        return exit_code_of(job);
    }

    JobOptions job_;
    CommonOptions common_;
    CLI::App* app_ = nullptr;
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
