#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/stop_signals.hpp"
#include "client/formats/output_file.hpp"
#include "client/formats/output_format.hpp"
#include "common/protocol/message.hpp"
#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class FetchCommand final : public Command {
  public:
    std::string_view name() const override { return "fetch"; }
    std::string_view summary() const override { return "Write a kept result to a file"; }

    void declare(CLI::App& app) override {
        app.add_option("ID", job_, "The job")->required();
        app.add_option("-o,--output", output_, "The file; its ending chooses the format: .npy, .raw, .bin")
            ->type_name("FILE")
            ->required();
        app.add_flag("--overwrite", overwrite_, "Replace the file if it exists");
        common_.declare(app);
    }

    Expected<int> execute() override {
        const Expected<OutputFormat> format = output_format_of(output_);
        if (!format) {
            return std::unexpected(format.error());
        }
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
        return fetch(*daemon, *job, *format);
    }

  private:
    Expected<int> fetch(Connection& daemon, const JobStatus& job, OutputFormat format) {
        Expected<OutputFile> file =
            OutputFile::create(output_, overwrite_ ? ExistingFile::replace : ExistingFile::refuse);
        if (!file) {
            return std::unexpected(file.error());
        }
        const auto fetched = daemon.fetch(job_, file->descriptor(), payload_offset_of(format));
        if (!fetched) {
            return std::unexpected(fetched.error());
        }
        const ArrayDescription array = job.output.value_or(ArrayDescription{});
        if (auto written = file->write_header(output_header(format, array)); !written) {
            return std::unexpected(written.error());
        }
        if (auto committed = file->commit(); !committed) {
            return std::unexpected(committed.error());
        }
        if (common_.json) {
            print_json(Json{
                {"id", job_}, {"file", output_}, {"bytes", fetched->bytes}, {"flush_s", fetched->flush_s}}
                           .dump(-1, ' ', false, Json::error_handler_t::replace));
        } else {
            fmt::print("fetched: job {}, {} {} {}, {} in {}\n", job_, output_, to_text(array.shape),
                       name_of(array.dtype), byte_size_text(fetched->bytes),
                       duration_text(std::chrono::duration<double>(fetched->flush_s)));
        }
        return 0;
    }

    CommonOptions common_;
    std::int64_t job_ = 0;
    std::string output_;
    bool overwrite_ = false;
};

}  // namespace

std::unique_ptr<Command> make_fetch_command() {
    return std::make_unique<FetchCommand>();
}

}  // namespace slab
