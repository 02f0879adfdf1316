#include "client/command_line/job_output.hpp"

#include <unistd.h>

#include <cerrno>

namespace slab {
namespace {

Expected<void> write_all(int descriptor, std::string_view bytes, std::optional<off_t> at,
                         const std::string& name) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = at ? ::pwrite(descriptor, bytes.data() + done, bytes.size() - done,
                                            *at + static_cast<off_t>(done))
                                 : ::write(descriptor, bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno != EINTR) {
            return std::unexpected(Error{ErrorKind::failed, name + ": it cannot be written",
                                         errno_text(errno), "Make room, or write elsewhere."});
        }
        done += static_cast<std::size_t>(count < 0 ? 0 : count);
    }
    return {};
}

}  // namespace

Expected<JobOutput> JobOutput::to_file(const std::string& path, ExistingFile existing,
                                       OutputPacking packing) {
    Expected<OutputFile> file = OutputFile::create(path, existing);
    if (!file) {
        return std::unexpected(file.error());
    }
    JobOutput output;
    output.file_.emplace(std::move(*file));
    if (auto packed = output.pack(output.file_->descriptor(), path, packing); !packed) {
        return std::unexpected(packed.error());
    }
    return output;
}

Expected<JobOutput> JobOutput::to_stream(UniqueDescriptor stream, const std::string& name,
                                         OutputPacking packing) {
    JobOutput output;
    output.stream_ = std::move(stream);
    if (auto packed = output.pack(output.stream_.get(), name, packing); !packed) {
        return std::unexpected(packed.error());
    }
    return output;
}

Expected<void> JobOutput::pack(int sink, const std::string& name, OutputPacking packing) {
    name_ = name;
    if (packing == OutputPacking::none) {
        return {};
    }
    auto packer = GzipOutput::start(sink, name);
    if (!packer) {
        return std::unexpected(packer.error());
    }
    packer_ = std::move(*packer);
    return {};
}

Expected<OutputTarget> JobOutput::target(std::string header) {
    OutputTarget target;
    target.descriptor = packer_ ? packer_->descriptor() : file_ ? file_->descriptor() : stream_.get();
    target.access = packer_ || !file_ ? OutputTarget::Access::sequential : OutputTarget::Access::positioned;
    target.offset = static_cast<std::int64_t>(header.size());
    if (header.size() > most_header_in_request) {
        const bool is_sequential = target.access == OutputTarget::Access::sequential;
        const std::size_t kept = is_sequential ? 0 : most_header_in_request;
        const auto written =
            write_all(target.descriptor, std::string_view(header).substr(kept),
                      is_sequential ? std::nullopt : std::optional(static_cast<off_t>(kept)), name_);
        if (!written) {
            return std::unexpected(written.error());
        }
        header.resize(kept);
        target.offset = is_sequential ? 0 : target.offset;
    }
    target.header = std::move(header);
    return target;
}

Expected<void> JobOutput::write_whole(const std::string& header, std::span<const std::byte> payload) {
    const int descriptor = packer_ ? packer_->descriptor() : file_ ? file_->descriptor() : stream_.get();
    const std::string_view bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
    auto written = write_all(descriptor, header, std::nullopt, name_);
    return written ? write_all(descriptor, bytes, std::nullopt, name_) : written;
}

Expected<void> JobOutput::commit() {
    if (packer_) {
        if (auto finished = packer_->finish(); !finished) {
            return finished;
        }
    }
    return file_ ? file_->commit() : Expected<void>();
}

}  // namespace slab
