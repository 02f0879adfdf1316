#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_report.hpp"
#include "client/command_line/job_watcher.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace slab {
namespace {

class WaitCommand final : public Command {
  public:
    std::string_view name() const override { return "wait"; }
    std::string_view summary() const override {
        return "Wait until jobs have ended; the exit code is the worst of theirs";
    }

    void declare(CLI::App& app) override {
        app.add_option("ID", jobs_, "The jobs")->required();
        app.add_flag("--quiet", quiet_, "Neither progress nor the final lines");
        common_.declare(app);
    }

    Expected<int> execute() override {
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        int worst = 0;
        std::vector<JobStatus> ended;
        for (const std::int64_t id : jobs_) {
            JobWatcher watcher(*daemon, quiet_ ? Talk::quiet : common_.json ? Talk::json : Talk::normal);
            Expected<JobStatus> job = daemon->wait(id, watcher.on_progress());
            watcher.erase();
            if (!job) {
                return std::unexpected(job.error());
            }
            worst = std::max(worst, exit_code_of(*job));
            report(*job);
            ended.push_back(std::move(*job));
        }
        if (common_.json) {
            print_json(jobs_json(ended));
        }
        return worst;
    }

  private:
    void report(const JobStatus& job) const {
        if (job.outcome != JobStatus::Outcome::done) {
            fmt::print(stderr, "{}\n", to_text(error_of(job)));
        } else if (!quiet_ && !common_.json) {
            fmt::print("{}\n", summary_of(job, job.kept ? "kept in the volume" : ""));
        }
    }

    CommonOptions common_;
    std::vector<std::int64_t> jobs_;
    bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_wait_command() {
    return std::make_unique<WaitCommand>();
}

}  // namespace slab
