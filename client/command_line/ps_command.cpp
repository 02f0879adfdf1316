#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_report.hpp"
#include "client/command_line/table.hpp"
#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace slab {
namespace {

std::string progress_of(const JobStatus& job) {
    if (has_ended(job) || job.tiles == 0) {
        return "-";
    }
    return fmt::format("{} %", 100 * job.tiles_done / job.tiles);
}

std::string age_of(const JobStatus& job) {
    if (job.submitted_at <= 0) {
        return "-";
    }
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    const std::chrono::duration<double> age(std::max(0.0, now.count() - job.submitted_at));
    return age < std::chrono::seconds(10) ? fmt::format("{:.0f} s", age.count()) : duration_text(age);
}

std::string note_of(const JobStatus& job) {
    if (has_ended(job) && job.error) {
        return job.error->what;
    }
    if (!job.reason.empty()) {
        return job.reason;
    }
    if (!job.kept) {
        return job.name;
    }
    return job.name.empty() ? "kept" : "kept: " + job.name;
}

class PsCommand final : public Command {
  public:
    std::string_view name() const override { return "ps"; }
    std::string_view summary() const override {
        return "List jobs: waiting, running, and those whose result is kept";
    }

    void declare(CLI::App& app) override {
        app.add_flag("--all", all_, "Ended jobs too");
        common_.declare(app);
    }

    Expected<int> execute() override {
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        const auto jobs = daemon->list(all_ ? ListScope::all : ListScope::active);
        if (!jobs) {
            return std::unexpected(jobs.error());
        }
        if (common_.json) {
            print_json(jobs_json(*jobs));
            return 0;
        }
        Table table({"ID", "USER", "KERNEL", "STATE", "DONE", "SIZE", "AGE", "NOTE"});
        for (const JobStatus& job : *jobs) {
            table.add({std::to_string(job.id), job.user.empty() ? std::to_string(job.uid) : job.user,
                       job.kernel, std::string(has_ended(job) ? name_of(job.outcome) : name_of(job.state)),
                       progress_of(job), byte_size_text(job.bytes_out), age_of(job), note_of(job)});
        }
        fmt::print("{}", table.text());
        return 0;
    }

  private:
    CommonOptions common_;
    bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ps_command() {
    return std::make_unique<PsCommand>();
}

}  // namespace slab
