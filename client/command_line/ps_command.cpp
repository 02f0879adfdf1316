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

double now_s() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string short_duration(double seconds) {
    const std::chrono::duration<double> duration(std::max(0.0, seconds));
    return duration < std::chrono::seconds(10) ? fmt::format("{:.0f} s", duration.count())
                                               : duration_text(duration);
}

// Of kept and interrupted jobs, since they are that; of the others, since they came.
std::string age_of(const JobStatus& job) {
    if (job.age_s) {
        return short_duration(*job.age_s);
    }
    return job.submitted_at > 0 ? short_duration(now_s() - job.submitted_at) : "-";
}

std::string held_of(const JobStatus& job) {
    return job.held_bytes ? byte_size_text(*job.held_bytes) : "-";
}

std::string note_of(const JobStatus& job) {
    if (has_ended(job) && job.error) {
        return job.error->what;
    }
    std::vector<std::string> parts;
    if (job.kept) {
        parts.emplace_back("kept");
    }
    if (!job.reason.empty()) {
        parts.push_back(job.reason);
    } else if (job.state == JobStatus::State::interrupted) {
        parts.push_back(fmt::format("slab resume {} makes it go on", job.id));
    }
    if (job.expires_at) {
        parts.push_back("given up in " + short_duration(*job.expires_at - now_s()));
    }
    std::string text = fmt::format("{}", fmt::join(parts, ", "));
    if (job.reason.empty() && !job.name.empty()) {
        text += (text.empty() ? "" : ": ") + job.name;
    }
    return text;
}

class PsCommand final : public Command {
  public:
    std::string_view name() const override { return "ps"; }
    std::string_view summary() const override {
        return "List jobs: waiting, running, interrupted, and those whose result is kept";
    }

    void declare(CLI::App& app) override {
        app.add_flag("--all", all_, "The past too: jobs that have ended");
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
        Table table({"ID", "USER", "KERNEL", "STATE", "DONE", "SIZE", "HELD", "AGE", "NOTE"});
        for (const JobStatus& job : *jobs) {
            table.add({std::to_string(job.id), job.user.empty() ? std::to_string(job.uid) : job.user,
                       job.kernel, std::string(has_ended(job) ? name_of(job.outcome) : name_of(job.state)),
                       progress_of(job), byte_size_text(job.bytes_out), held_of(job), age_of(job),
                       note_of(job)});
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
