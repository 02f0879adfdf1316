#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/job_note.hpp"
#include "client/command_line/job_output.hpp"
#include "client/command_line/stop_signals.hpp"
#include "client/formats/nifti/nifti_reader.hpp"
#include "client/formats/output_format.hpp"
#include "client/formats/output_stream.hpp"
#include "common/protocol/base64.hpp"
#include "common/protocol/message.hpp"
#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

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
               "The file; its ending chooses the format: .npy, .nii, .raw, .bin, and with .gz behind packed. "
               "Also an existing pipe, or - for the standard output")
            ->type_name("FILE")
            ->required();
        app.add_option("--output-format", output_format_,
                       "Its format, whatever its name: npy (for pipes, too), nii, raw, npy.gz, ...")
            ->type_name("npy|nii|raw[.gz]");
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
        const Expected<std::string> header = output_header(*format, array, origin_of(*job), output_);
        if (!header) {
            return std::unexpected(header.error());
        }
        const OutputPacking packing = packing_of(output_format_.empty() ? output_ : output_format_);
        Expected<JobOutput> output =
            place == OutputPlace::file
                ? JobOutput::to_file(output_, overwrite_ ? ExistingFile::replace : ExistingFile::refuse,
                                     packing)
                : JobOutput::to_stream(std::move(*stream), output_, packing);
        if (!output) {
            return std::unexpected(output.error());
        }
        const auto fetched = fetch(*daemon, std::move(*output), *header);
        if (!fetched) {
            return std::unexpected(fetched.error());
        }
        report(*fetched, array, place);
        return 0;
    }

  private:
    // What the result's NIfTI header was to be, as the client that submitted the job has noted it.
    static NiftiOrigin origin_of(const JobStatus& job) {
        const auto note = job_note_from(job.note);
        const auto bytes = bytes_of_base64(note ? note->nifti_header : std::string());
        if (!bytes || bytes->empty()) {
            return {};
        }
        const ByteSource source = [&bytes](std::int64_t offset, std::size_t count) {
            const auto begin = std::min(static_cast<std::size_t>(offset), bytes->size());
            return Expected<std::string>(bytes->substr(begin, count));
        };
        Expected<NiftiHeader> header = read_nifti_header(source, "the kept result");
        if (!header || array_of(*header).shape != job.output.value_or(ArrayDescription{}).shape) {
            return {};
        }
        const int rank = array_of(*header).shape.rank;
        return {.header = std::move(*header), .grid = GridMap::same(rank), .only_moves = true};
    }

    Expected<Connection::Fetched> fetch(Connection& daemon, JobOutput output, const std::string& header) {
        const Expected<OutputTarget> target = output.target(header);
        if (!target) {
            return std::unexpected(target.error());
        }
        const auto fetched = daemon.fetch(job_, *target);
        if (const auto failure = output.failure()) {
            return std::unexpected(*failure);
        }
        if (!fetched) {
            return fetched;
        }
        if (auto committed = output.commit(); !committed) {
            return std::unexpected(committed.error());
        }
        return fetched;
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
