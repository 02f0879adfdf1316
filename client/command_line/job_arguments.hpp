#pragma once

#include "client/command_line/job_note.hpp"
#include "client/command_line/job_output.hpp"
#include "client/command_line/split_arguments.hpp"
#include "client/formats/input_file.hpp"
#include "client/formats/output_file.hpp"
#include "client/formats/output_format.hpp"
#include "client/formats/output_stream.hpp"
#include "client/library/connection.hpp"
#include "client/library/job_request.hpp"
#include "common/errors/error.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slab {

// A step of a pipeline, as a job file tells it.
struct StepArguments {
    std::string name;  // empty: its kernel's
    std::string kernel;
    // Names of steps; "input", "input 2": the job's; else files. Absent: what the step before gives, of the first step
    // all inputs of the job.
    std::optional<std::vector<std::string>> inputs;
    Parameters parameters;
};

// A job as a person asked for it, on the command line or in a file.
struct JobArguments {
    struct Input {
        std::string path;
        RawOptions raw;
    };

    std::string kernel;
    std::vector<StepArguments> steps;  // instead of a kernel
    std::vector<Input> inputs;
    std::string output;         // empty: none
    std::string output_format;  // "npy", "raw"; empty: as the output's name says
    bool overwrite = false;
    bool keep = false;
    bool wait_for_space = false;
    std::int64_t priority = 0;
    std::string max_memory;
    std::string tile_bytes;
    std::string name;
    std::optional<std::string> motion_out;  // of the job file: MotionOptions
    std::string write_params;
    Parameters parameters;             // of the job file; files that they name are looked for in `folder`
    std::string folder;                // empty, or ending in a slash
    std::vector<ParameterWord> words;  // of the command line, in its order; they take the place of the file's

    enum class InputsFrom : std::uint8_t { job_file, command_line };
    InputsFrom inputs_from = InputsFrom::job_file;
    RawOptions raw;  // the command line's, for all inputs
};

// The job with its inputs open and its output's format known; the request borrows the files.
struct PreparedJob {
    JobRequest request;
    std::vector<InputFile> files;
    std::optional<OutputFormat> format;
    std::string output_path;
    OutputPlace place = OutputPlace::file;
    OutputPacking packing = OutputPacking::none;
    ExistingFile existing = ExistingFile::refuse;
    std::string kept_header;  // JobNote::nifti_header
};

// All that can be checked without a daemon. Errors of kind usage. Files that the steps of a pipeline name join the
// arguments' inputs.
Expected<PreparedJob> prepare_job(JobArguments& arguments);

// Completes it with the parameters, as the kernel's description tells what their words mean. A word that turns out to
// be an input is opened and takes its place among the inputs, of the arguments too.
Expected<void> complete_job(PreparedJob& job, JobArguments& arguments, Connection& daemon);

// What a NIfTI file of the result is told of the inputs.
NiftiOrigin nifti_origin(const PreparedJob& job, const PlannedJob& plan);

// What stands before the result's elements. Errors of kind usage: the format cannot hold the result.
Expected<std::string> result_header(const PreparedJob& job, const PlannedJob& plan);

// Completes the request with the output and its header.
Expected<void> set_output(PreparedJob& job, JobOutput& output, const PlannedJob& plan);

// Completes the request with what `slab resume` has to know of it.
void set_note(PreparedJob& job, const JobArguments& arguments, JobNote::Command command);

}  // namespace slab
