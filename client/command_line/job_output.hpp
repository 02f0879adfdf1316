#pragma once

#include "client/formats/gzip_output.hpp"
#include "client/formats/output_file.hpp"
#include "client/formats/output_format.hpp"
#include "client/formats/output_stream.hpp"
#include "client/library/job_request.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace slab {

// Where a result goes, on the way to it packed if it is to be: a file that appears when it is complete, or a stream.
class JobOutput {
  public:
    static Expected<JobOutput> to_file(const std::string& path, ExistingFile existing, OutputPacking packing);
    static Expected<JobOutput> to_stream(UniqueDescriptor stream, const std::string& name,
                                         OutputPacking packing);

    // What the daemon writes to, and how. Of a header that is longer than the daemon takes the rest is written here.
    Expected<OutputTarget> target(std::string header);

    // What a daemon would do with a target: header, then payload.
    Expected<void> write_whole(const std::string& header, std::span<const std::byte> payload);

    // When all bytes are with the daemon's descriptor: the end of packing, then the file's name.
    Expected<void> commit();

    // The reason why nobody reads any more what the daemon writes; it tells of a broken pipe only.
    std::optional<Error> failure() const { return packer_ ? packer_->failure() : std::nullopt; }

    // -1: a job that has to go on after its daemon's end cannot have this output.
    int resumable_descriptor() const { return file_ && !packer_ ? file_->descriptor() : -1; }

  private:
    JobOutput() = default;
    Expected<void> pack(int sink, const std::string& name, OutputPacking packing);

    std::string name_;
    std::optional<OutputFile> file_;
    UniqueDescriptor stream_;
    std::unique_ptr<GzipOutput> packer_;  // ends before what it writes to
};

// The daemon's own limit (common/protocol/README.md).
inline constexpr std::size_t most_header_in_request = std::size_t{64} * 1024;

}  // namespace slab
