#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class DropCommand final : public Command {
  public:
    std::string_view name() const override { return "drop"; }
    std::string_view summary() const override { return "Give up a kept result; views of it stay readable"; }

    void declare(CLI::App& app) override {
        app.add_option("ID", job_, "The job")->required();
        common_.declare(app);
    }

    Expected<int> execute() override {
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        const Expected<JobStatus> job = daemon->drop(job_);
        if (!job) {
            return std::unexpected(job.error());
        }
        if (common_.json) {
            print_json(job->json);
        } else {
            fmt::print("job {}: dropped\n", job_);
        }
        return 0;
    }

  private:
    CommonOptions common_;
    std::int64_t job_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_drop_command() {
    return std::make_unique<DropCommand>();
}

}  // namespace slab
