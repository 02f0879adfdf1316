#include "client/command_line/job_arguments.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace slab {
namespace {

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

Expected<OutputFormat> format_of(const JobArguments& arguments, OutputPlace place) {
    if (!arguments.output_format.empty()) {
        return output_format_named(arguments.output_format);
    }
    return place == OutputPlace::file ? output_format_of(arguments.output) : OutputFormat::npy;
}

Expected<void> find_output(const JobArguments& arguments, PreparedJob& job) {
    job.place = output_place_of(arguments.output);
    const Expected<OutputFormat> format = format_of(arguments, job.place);
    if (!format) {
        return std::unexpected(format.error());
    }
    job.format = *format;
    job.output_path = arguments.output;
    job.existing = arguments.overwrite ? ExistingFile::replace : ExistingFile::refuse;
    // The real check is the exclusive creation; this one comes before any work.
    struct stat status {};
    if (job.place == OutputPlace::file && !arguments.overwrite &&
        ::lstat(arguments.output.c_str(), &status) == 0) {
        return refuse(arguments.output + ": the output exists already", "nothing is overwritten unasked",
                      "Give --overwrite, or another name.");
    }
    return {};
}

}  // namespace

Expected<PreparedJob> prepare_job(const JobArguments& arguments) {
    PreparedJob job;
    if (arguments.priority < -20 || arguments.priority > 19) {
        return refuse("the priority is out of range", fmt::format("it is {}", arguments.priority),
                      "Give -20 (first) to 19 (last).");
    }
    if (!arguments.output.empty()) {
        if (auto found = find_output(arguments, job); !found) {
            return std::unexpected(found.error());
        }
    } else if (!arguments.output_format.empty()) {
        return refuse("a format is given, and no output", "--output-format says how -o is written",
                      "Give -o FILE too, or leave --output-format away.");
    }
    for (const JobArguments::Input& input : arguments.inputs) {
        Expected<InputFile> file = open_input(input.path, input.raw);
        if (!file) {
            return std::unexpected(file.error());
        }
        job.request.inputs.push_back(InputArray::from_descriptor(
            file->array, file->byte_order, file->descriptor.get(), file->offset, file->codec));
        job.files.push_back(std::move(*file));
    }
    job.request.kernel = arguments.kernel;
    job.request.parameters = arguments.parameters;
    job.request.keep = arguments.keep;
    job.request.to_file = job.format.has_value();
    job.request.when_disk_is_full = arguments.wait_for_space ? SpacePolicy::wait : SpacePolicy::refuse;
    job.request.priority = static_cast<int>(arguments.priority);
    job.request.max_memory = arguments.max_memory;
    job.request.tile_bytes = arguments.tile_bytes;
    job.request.name = arguments.name;
    return job;
}

void set_output(PreparedJob& job, int descriptor, const ArrayDescription& array) {
    OutputTarget target{descriptor, payload_offset_of(*job.format), output_header(*job.format, array)};
    if (job.place != OutputPlace::file) {
        target.access = OutputTarget::Access::sequential;
    }
    job.request.output = std::move(target);
}

void set_note(PreparedJob& job, const JobArguments& arguments, JobNote::Command command) {
    JobNote note{.command = command, .format = job.format, .existing = job.existing};
    for (const JobArguments::Input& input : arguments.inputs) {
        note.inputs.push_back(absolute_path(input.path));
    }
    if (job.place == OutputPlace::file && !job.output_path.empty()) {
        note.output = absolute_path(job.output_path);
    }
    if (job.request.output && command == JobNote::Command::submit) {
        note.output_file = FileIdentity::of(job.request.output->descriptor);
    }
    job.request.note = to_json(note);
}

}  // namespace slab
