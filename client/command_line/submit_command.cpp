#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_options.hpp"
#include "client/command_line/job_watcher.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class SubmitCommand final : public Command {
  public:
    std::string_view name() const override { return "submit"; }
    std::string_view summary() const override {
        return "The same as run; prints the job's id and returns at once";
    }
    std::vector<ParameterWord>* parameter_words() override { return &job_.parameter_words(); }

    void declare(CLI::App& app) override {
        job_.declare(app);
        common_.declare(app);
    }

    Expected<int> execute() override {
        Expected<JobArguments> arguments = job_.resolve();
        if (!arguments) {
            return std::unexpected(arguments.error());
        }
        if (arguments->output.empty() && !arguments->keep) {
            return std::unexpected(Error{ErrorKind::usage, "the result has nowhere to go",
                                         "neither -o nor --keep is given",
                                         "Give -o FILE, or --keep to leave it in the daemon's volume."});
        }
        if (arguments->motion_out.value_or("none") != "none" || !arguments->write_params.empty()) {
            return std::unexpected(
                Error{ErrorKind::usage, "a submitted job cannot write files about the motion",
                      "slab itself writes them when the job has ended, and would be gone",
                      "Use slab run, or take the motion from the result: slab show ID --json."});
        }
        Expected<PreparedJob> job = prepare_job(*arguments);
        if (!job) {
            return std::unexpected(job.error());
        }
        if (job->place != OutputPlace::file) {
            return std::unexpected(
                Error{ErrorKind::usage, "a submitted job cannot write to a pipe",
                      "nobody would be there to tell its reader that the job failed",
                      "Use slab run, which waits, or submit with --keep and slab fetch ID -o - later."});
        }
        if (job->packing != OutputPacking::none) {
            return std::unexpected(
                Error{ErrorKind::usage, "a submitted job cannot write a packed file",
                      "slab itself packs it, and would be gone",
                      "Use slab run, or leave .gz away, or submit with --keep and slab fetch ID -o later."});
        }
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        if (auto completed = complete_job(*job, *arguments, *daemon); !completed) {
            return std::unexpected(completed.error());
        }
        return submit(*daemon, *job, *arguments);
    }

  private:
    Expected<int> submit(Connection& daemon, PreparedJob& job, const JobArguments& arguments) {
        job.request.watch = false;
        std::optional<OutputFile> file;
        if (job.format) {
            const Expected<PlannedJob> plan = daemon.plan(job.request);
            if (!plan) {
                return std::unexpected(plan.error());
            }
            Expected<OutputFile> opened = OutputFile::create_in_place(job.output_path, job.existing);
            if (!opened) {
                return std::unexpected(opened.error());
            }
            file.emplace(std::move(*opened));
            Expected<std::string> header = result_header(job, *plan);
            if (!header) {
                return std::unexpected(header.error());
            }
            if (header->size() > most_header_in_request) {
                return std::unexpected(
                    Error{ErrorKind::usage, job.output_path + ": the header is too long for a submitted job",
                          fmt::format("with the input's extensions it has {} bytes; the daemon writes {}",
                                      header->size(), most_header_in_request),
                          "Use slab run, which writes the rest itself."});
            }
            const auto offset = static_cast<std::int64_t>(header->size());
            job.request.output = OutputTarget{file->descriptor(), offset, std::move(*header)};
        }
        set_note(job, arguments, JobNote::Command::submit);
        const JobWatcher watcher(daemon, Talk::normal);
        const Expected<JobStatus> submitted = daemon.submit(job.request);
        if (!submitted) {
            return std::unexpected(submitted.error());
        }
        if (file) {
            if (auto named = file->commit_name(); !named) {
                static_cast<void>(daemon.cancel(submitted->id));
                return std::unexpected(named.error());
            }
        }
        if (common_.json) {
            print_json(submitted->json);
        } else {
            fmt::print("{}\n", submitted->id);
        }
        return 0;  // it was accepted; it may even have ended by now, which is for wait to tell
    }

    JobOptions job_;
    CommonOptions common_;
};

}  // namespace

std::unique_ptr<Command> make_submit_command() {
    return std::make_unique<SubmitCommand>();
}

}  // namespace slab
