#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class CancelCommand final : public Command {
  public:
    std::string_view name() const override { return "cancel"; }
    std::string_view summary() const override { return "Cancel jobs; returns when they have ended"; }

    void declare(CLI::App& app) override {
        app.add_option("ID", jobs_, "The jobs")->required();
        common_.declare(app);
    }

    Expected<int> execute() override {
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        std::vector<JobStatus> ended;
        for (const std::int64_t id : jobs_) {
            Expected<JobStatus> job = daemon->cancel(id);
            if (!job) {
                return std::unexpected(job.error());
            }
            if (!common_.json) {
                fmt::print("job {}: {}\n", id, name_of(job->outcome));
            }
            ended.push_back(std::move(*job));
        }
        if (common_.json) {
            print_json(jobs_json(ended));
        }
        return 0;
    }

  private:
    CommonOptions common_;
    std::vector<std::int64_t> jobs_;
};

}  // namespace

std::unique_ptr<Command> make_cancel_command() {
    return std::make_unique<CancelCommand>();
}

}  // namespace slab
