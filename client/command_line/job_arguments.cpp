#include "client/command_line/job_arguments.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace slab {
namespace {

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

}  // namespace

Expected<PreparedJob> prepare_job(const JobArguments& arguments) {
    PreparedJob job;
    if (arguments.priority < -20 || arguments.priority > 19) {
        return refuse("the priority is out of range", fmt::format("it is {}", arguments.priority),
                      "Give -20 (first) to 19 (last).");
    }
    if (!arguments.output.empty()) {
        const Expected<OutputFormat> format = output_format_of(arguments.output);
        if (!format) {
            return std::unexpected(format.error());
        }
        job.format = *format;
        job.output_path = arguments.output;
        job.existing = arguments.overwrite ? ExistingFile::replace : ExistingFile::refuse;
        // The real check is the exclusive creation; this one comes before any work.
        struct stat status {};
        if (!arguments.overwrite && ::lstat(arguments.output.c_str(), &status) == 0) {
            return refuse(arguments.output + ": the output exists already", "nothing is overwritten unasked",
                          "Give --overwrite, or another name.");
        }
    }
    for (const JobArguments::Input& input : arguments.inputs) {
        Expected<InputFile> file = open_input(input.path, input.raw);
        if (!file) {
            return std::unexpected(file.error());
        }
        job.request.inputs.push_back(
            InputArray::from_descriptor(file->array, file->byte_order, file->descriptor.get(), file->offset));
        job.files.push_back(std::move(*file));
    }
    job.request.kernel = arguments.kernel;
    job.request.parameters = arguments.parameters;
    job.request.keep = arguments.keep;
    job.request.to_file = job.format.has_value();
    job.request.priority = static_cast<int>(arguments.priority);
    job.request.max_memory = arguments.max_memory;
    job.request.tile_bytes = arguments.tile_bytes;
    job.request.name = arguments.name;
    return job;
}

void set_output(PreparedJob& job, const OutputFile& file, const ArrayDescription& array) {
    job.request.output =
        OutputTarget{file.descriptor(), payload_offset_of(*job.format), output_header(*job.format, array)};
}

}  // namespace slab
