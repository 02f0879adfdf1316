#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/stop_signals.hpp"
#include "client/formats/output_file.hpp"
#include "client/formats/output_format.hpp"
#include "client/formats/output_stream.hpp"
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
        app.add_option(
               "-o,--output", output_,
               "The file; its ending chooses the format: .npy, .raw, .bin. Also an existing pipe, or - for "
               "the standard output")
            ->type_name("FILE")
            ->required();
        app.add_option("--output-format", output_format_,
                       "Its format, whatever its name: npy (for pipes, too) or raw")
            ->type_name("npy|raw");
        app.add_flag("--overwrite", overwrite_, "Replace the file if it exists");
        common_.declare(app);
    }

    Expected<int> execute() override {
        const OutputPlace place = output_place_of(output_);
        const Expected<OutputFormat> format = !output_format_.empty() ? output_format_named(output_format_)
                                              : place == OutputPlace::file ? output_format_of(output_)
                                                                           : OutputFormat::npy;
        if (!format) {
            return std::unexpected(format.error());
        }
        if (common_.json && place == OutputPlace::standard_output) {
            return std::unexpected(Error{ErrorKind::usage, "two things would go to the standard output",
                                         "--json prints an object there and -o - the array",
                                         "Leave --json away, or fetch to a file."});
        }
        Expected<UniqueDescriptor> stream;
        if (place != OutputPlace::file) {
            stream = open_output_stream(place, output_);
            if (!stream) {
                return std::unexpected(stream.error());
            }
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
        const ArrayDescription array = job->output.value_or(ArrayDescription{});
        const auto fetched = place == OutputPlace::file
                                 ? fetch_to_file(*daemon, array, *format)
                                 : fetch_to_stream(*daemon, array, *format, stream->get());
        if (!fetched) {
            return std::unexpected(fetched.error());
        }
        report(*fetched, array, place);
        return 0;
    }

  private:
    Expected<Connection::Fetched> fetch_to_file(Connection& daemon, const ArrayDescription& array,
                                                OutputFormat format) {
        Expected<OutputFile> file =
            OutputFile::create(output_, overwrite_ ? ExistingFile::replace : ExistingFile::refuse);
        if (!file) {
            return std::unexpected(file.error());
        }
        const auto fetched = daemon.fetch(job_, file->descriptor(), payload_offset_of(format));
        if (!fetched) {
            return fetched;
        }
        if (auto written = file->write_header(output_header(format, array)); !written) {
            return std::unexpected(written.error());
        }
        if (auto committed = file->commit(); !committed) {
            return std::unexpected(committed.error());
        }
        return fetched;
    }

    Expected<Connection::Fetched> fetch_to_stream(Connection& daemon, const ArrayDescription& array,
                                                  OutputFormat format, int descriptor) const {
        return daemon.fetch(job_, {descriptor, payload_offset_of(format), output_header(format, array),
                                   OutputTarget::Access::sequential});
    }

    void report(const Connection::Fetched& fetched, const ArrayDescription& array, OutputPlace place) const {
        if (common_.json) {
            print_json(
                Json{{"id", job_}, {"file", output_}, {"bytes", fetched.bytes}, {"flush_s", fetched.flush_s}}
                    .dump(-1, ' ', false, Json::error_handler_t::replace));
            return;
        }
        const bool to_stdout = place == OutputPlace::standard_output;
        fmt::print(to_stdout ? stderr : stdout, "fetched: job {}, {} {} {}, {} in {}\n", job_,
                   to_stdout ? "standard output" : output_, to_text(array.shape), name_of(array.dtype),
                   byte_size_text(fetched.bytes),
                   duration_text(std::chrono::duration<double>(fetched.flush_s)));
    }

    CommonOptions common_;
    std::int64_t job_ = 0;
    std::string output_;
    std::string output_format_;
    bool overwrite_ = false;
};

}  // namespace

std::unique_ptr<Command> make_fetch_command() {
    return std::make_unique<FetchCommand>();
}

}  // namespace slab
