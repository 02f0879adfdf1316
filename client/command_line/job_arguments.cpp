#include "client/command_line/job_arguments.hpp"

#include "client/command_line/parameter_meaning.hpp"
#include "client/command_line/pipeline_arguments.hpp"
#include "client/command_line/scaled_inputs.hpp"
#include "client/formats/nifti/nifti_affine.hpp"
#include "client/formats/nifti/nifti_writer.hpp"
#include "common/protocol/base64.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>

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
    job.packing = packing_of(arguments.output_format.empty() ? arguments.output : arguments.output_format);
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

Expected<void> add_input(PreparedJob& job, std::size_t place, const JobArguments::Input& input) {
    Expected<InputFile> file = open_input(input.path, input.raw);
    if (!file) {
        return std::unexpected(file.error());
    }
    const auto at = static_cast<std::ptrdiff_t>(place);
    job.request.inputs.insert(job.request.inputs.begin() + at,
                              InputArray::from_descriptor(file->array, file->byte_order,
                                                          file->descriptor.get(), file->offset, file->codec));
    if (file->nifti) {
        job.request.inputs[place].world = world_in_mm(*file->nifti);
    }
    job.files.insert(job.files.begin() + at, std::move(*file));
    return {};
}

// Arrays that parameters name become inputs behind all others; the parameter then says which of its kernel's it is.
Expected<void> add_images(PreparedJob& job, JobArguments& arguments, const std::vector<NamedImage>& images,
                          std::size_t own_inputs, Parameters& parameters) {
    for (const NamedImage& image : images) {
        const JobArguments::Input input{image.path, arguments.raw};
        if (auto added = add_input(job, job.files.size(), input); !added) {
            return added;
        }
        arguments.inputs.push_back(input);
        parameters.insert_or_assign(image.parameter, ParameterValue(fmt::format("input {}", ++own_inputs)));
    }
    return {};
}

// A text may name a table's file, or an array's.
Expected<void> complete_steps(PreparedJob& job, JobArguments& arguments, Connection& daemon) {
    for (PipelineStep& step : job.request.steps) {
        if (!names_files(step.parameters)) {
            continue;
        }
        const Expected<KernelInfo> kernel = daemon.kernel(step.kernel);
        Expected<UnderstoodParameters> understood =
            kernel ? understand_parameters(*kernel, {}, step.parameters, arguments.folder)
                   : std::unexpected(kernel.error());
        if (!understood) {
            Error error = understood.error();
            error.what = fmt::format("step '{}': {}", step.name, error.what);
            return std::unexpected(std::move(error));
        }
        step.parameters = std::move(understood->parameters);
        const std::size_t own_inputs = step.inputs.size();
        for (std::size_t i = 0; i < understood->images.size(); ++i) {
            step.inputs.emplace_back(job.files.size() + i);
        }
        if (auto added = add_images(job, arguments, understood->images, own_inputs, step.parameters);
            !added) {
            return added;
        }
    }
    return {};
}

Expected<void> complete_kernels(PreparedJob& job, JobArguments& arguments, Connection& daemon) {
    if (!job.request.steps.empty()) {
        return complete_steps(job, arguments, daemon);
    }
    if (arguments.words.empty() && !names_files(arguments.parameters)) {
        job.request.parameters = arguments.parameters;
        return {};
    }
    const Expected<KernelInfo> kernel = daemon.kernel(arguments.kernel);
    if (!kernel) {
        return std::unexpected(hinting_at_flags(kernel.error(), arguments.words));
    }
    Expected<UnderstoodParameters> understood =
        understand_parameters(*kernel, arguments.words, arguments.parameters, arguments.folder);
    if (!understood) {
        return std::unexpected(understood.error());
    }
    if (!understood->inputs.empty() && arguments.inputs_from == JobArguments::InputsFrom::job_file) {
        arguments.inputs_from = JobArguments::InputsFrom::command_line;
        arguments.inputs.clear();
        job.request.inputs.clear();
        job.files.clear();
    }
    for (const FreedWord& word : understood->inputs) {
        const std::size_t place = std::min(word.place, arguments.inputs.size());
        const JobArguments::Input input{word.text, arguments.raw};
        if (auto added = add_input(job, place, input); !added) {
            return added;
        }
        arguments.inputs.insert(arguments.inputs.begin() + static_cast<std::ptrdiff_t>(place), input);
    }
    job.request.parameters = std::move(understood->parameters);
    return add_images(job, arguments, understood->images, job.files.size(), job.request.parameters);
}

bool is_nifti(const InputFile& file) {
    return file.nifti.has_value();
}

// The header with which a kept result can become a NIfTI file later, when its inputs are not at hand any more.
Expected<void> foresee_fetch(PreparedJob& job, Connection& daemon) {
    constexpr std::size_t longest = 8 * 1024;  // of the note's 16 KiB
    if (!job.request.keep || std::ranges::none_of(job.files, is_nifti)) {
        return {};
    }
    const Expected<PlannedJob> plan = daemon.plan(job.request);
    if (!plan) {
        return std::unexpected(plan.error());
    }
    const ArrayDescription array = plan->output.value_or(ArrayDescription{});
    if (auto header = header_of_result(array, nifti_origin(job, *plan), "the kept result")) {
        if (nifti_data_offset(*header) > static_cast<std::int64_t>(longest)) {
            header->extensions.clear();
        }
        job.kept_header = base64_of(make_nifti_header(*header));
    }
    return {};
}

}  // namespace

Expected<PreparedJob> prepare_job(JobArguments& arguments) {
    PreparedJob job;
    if (!arguments.steps.empty()) {
        if (!arguments.kernel.empty() || !arguments.parameters.empty() || !arguments.words.empty()) {
            return refuse("a pipeline has no kernel and no parameters of its own", "each of its steps has",
                          "Write them into the steps: [step.parameters]");
        }
        auto steps = settle_steps(arguments);
        if (!steps) {
            return std::unexpected(steps.error());
        }
        job.request.steps = std::move(*steps);
    }
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
        if (auto added = add_input(job, job.files.size(), input); !added) {
            return std::unexpected(added.error());
        }
    }
    job.request.kernel = arguments.kernel;
    job.request.keep = arguments.keep;
    job.request.to_file = job.format.has_value();
    job.request.when_disk_is_full = arguments.wait_for_space ? SpacePolicy::wait : SpacePolicy::refuse;
    job.request.priority = static_cast<int>(arguments.priority);
    job.request.max_memory = arguments.max_memory;
    job.request.tile_bytes = arguments.tile_bytes;
    job.request.name = arguments.name;
    return job;
}

Expected<void> complete_job(PreparedJob& job, JobArguments& arguments, Connection& daemon) {
    if (auto completed = complete_kernels(job, arguments, daemon); !completed) {
        return completed;
    }
    if (auto scaled = scale_inputs(job, daemon); !scaled) {
        return scaled;
    }
    return foresee_fetch(job, daemon);
}

NiftiOrigin nifti_origin(const PreparedJob& job, const PlannedJob& plan) {
    NiftiOrigin origin{.only_moves = plan.only_moves};
    if (plan.grid && plan.grid->input < job.files.size() && is_nifti(job.files[plan.grid->input])) {
        origin.header = job.files[plan.grid->input].nifti;
        origin.grid = plan.grid->map;
    } else if (const auto first = std::ranges::find_if(job.files, is_nifti); first != job.files.end()) {
        origin.header = first->nifti;
    }
    return origin;
}

Expected<std::string> result_header(const PreparedJob& job, const PlannedJob& plan) {
    return output_header(*job.format, plan.output.value_or(ArrayDescription{}), nifti_origin(job, plan),
                         job.output_path);
}

Expected<void> set_output(PreparedJob& job, JobOutput& output, const PlannedJob& plan) {
    Expected<std::string> header = result_header(job, plan);
    if (!header) {
        return std::unexpected(header.error());
    }
    Expected<OutputTarget> target = output.target(std::move(*header));
    if (!target) {
        return std::unexpected(target.error());
    }
    job.request.output = std::move(*target);
    return {};
}

void set_note(PreparedJob& job, const JobArguments& arguments, JobNote::Command command) {
    JobNote note{
        .command = command, .format = job.format, .existing = job.existing, .nifti_header = job.kept_header};
    for (const JobArguments::Input& input : arguments.inputs) {
        note.inputs.push_back(absolute_path(input.path));
    }
    if (job.place == OutputPlace::file && !job.output_path.empty()) {
        note.output = absolute_path(job.output_path);
    }
    if (job.request.output && command == JobNote::Command::submit) {
        note.output_file = FileIdentity::of(job.request.output->descriptor);
    }
    // The rest of a header that is longer than the daemon takes is in the file of this process only.
    const auto offset = job.request.output ? job.request.output->offset : 0;
    const bool can_resume = offset <= static_cast<std::int64_t>(most_header_in_request);
    job.request.note = can_resume ? to_json(note) : std::string();
}

}  // namespace slab
