#pragma once

#include "client/formats/input_file.hpp"
#include "client/formats/output_file.hpp"
#include "client/formats/output_format.hpp"
#include "client/library/job_request.hpp"
#include "common/errors/error.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slab {

// A job as a person asked for it, on the command line or in a file.
struct JobArguments {
    struct Input {
        std::string path;
        RawOptions raw;
    };

    std::string kernel;
    std::vector<Input> inputs;
    std::string output;  // empty: none
    bool overwrite = false;
    bool keep = false;
    std::int64_t priority = 0;
    std::string max_memory;
    std::string tile_bytes;
    std::string name;
    Parameters parameters;
};

// The job with its inputs open and its output's format known; the request borrows the files.
struct PreparedJob {
    JobRequest request;
    std::vector<InputFile> files;
    std::optional<OutputFormat> format;
    std::string output_path;
    ExistingFile existing = ExistingFile::refuse;
};

// All that can be checked without a daemon. Errors of kind usage.
Expected<PreparedJob> prepare_job(const JobArguments& arguments);

// Completes the request with the output file and its header.
void set_output(PreparedJob& job, const OutputFile& file, const ArrayDescription& array);

}  // namespace slab
