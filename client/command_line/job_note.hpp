#pragma once

#include "client/formats/output_file.hpp"
#include "client/formats/output_format.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slab {

// Which file, whatever its name.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    static std::optional<FileIdentity> of(int descriptor);
    bool operator==(const FileIdentity&) const = default;
};

// What `slab resume` has to know of a job that some client has started; it travels as JobRequest::note.
// common/protocol/README.md has its form.
struct JobNote {
    enum class Command : std::uint8_t {
        run,     // the output has no name until the client gives it one
        submit,  // the output is under its name
    };

    Command command = Command::run;
    std::vector<std::string> inputs = {};  // absolute paths; empty: an array in memory, gone with its process
    std::string output = {};               // absolute; empty: none
    std::optional<FileIdentity> output_file = {};
    std::optional<OutputFormat> format = {};
    ExistingFile existing = ExistingFile::refuse;
    std::string nifti_header =
        {};  // of a kept result that was made of NIfTI files, as base64: for slab fetch
};

// Empty when it would be longer than the protocol allows: such a job cannot be resumed by its id alone.
std::string to_json(const JobNote& note);

// Nothing for the note of another program.
std::optional<JobNote> job_note_from(const std::string& json);

// As seen from the root; as it is when there is no working folder.
std::string absolute_path(const std::string& path);

}  // namespace slab
