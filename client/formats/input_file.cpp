#include "client/formats/input_file.hpp"

#include "client/formats/npy_header.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace slab {
namespace {

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

bool begins_as_npy(int descriptor) {
    std::array<char, 6> start{};
    return ::pread(descriptor, start.data(), start.size(), 0) == static_cast<ssize_t>(start.size()) &&
           std::string_view(start.data(), start.size()) == npy_magic;
}

Expected<InputFile> as_raw(UniqueDescriptor descriptor, const std::string& path, const RawOptions& options,
                           std::int64_t file_bytes) {
    const Expected<RawLayout> layout = parse_raw_options(options);
    if (!layout) {
        return std::unexpected(layout.error());
    }
    const std::int64_t bytes = byte_count(layout->array);
    const std::int64_t offset = layout->offset.value_or(0);
    if (offset > file_bytes || bytes > file_bytes - offset) {
        return refuse(path + ": the file is shorter than its shape",
                      fmt::format("{} {} from byte {} on needs {} bytes; the file has {}",
                                  to_text(layout->array.shape), name_of(layout->array.dtype), offset, bytes,
                                  file_bytes),
                      "Look at --input-shape, --input-dtype and --input-offset.");
    }
    if (!layout->offset && bytes != file_bytes) {
        return refuse(
            path + ": the file is longer than its shape",
            fmt::format("{} {} is {} bytes; the file has {}", to_text(layout->array.shape),
                        name_of(layout->array.dtype), bytes, file_bytes),
            "Look at --input-shape and --input-dtype; if only a part is wanted, say where it begins "
            "with --input-offset (0 too).");
    }
    return InputFile{std::move(descriptor), layout->array, layout->byte_order, offset};
}

}  // namespace

Expected<InputFile> open_input(const std::string& path, const RawOptions& raw) {
    // Non-blocking: the open of a pipe without a writer would wait for ever.
    UniqueDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!descriptor) {
        return refuse(path + ": the input cannot be opened", errno_text(errno),
                      errno == ENOENT ? "Look at the spelling of the path."
                                      : "Look at the file's permissions.");
    }
    struct stat status {};
    if (::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return refuse(path + ": an input must be a regular file",
                      S_ISDIR(status.st_mode) ? "it is a folder" : "it is a pipe or a device",
                      "Save the array to a .npy file and give that.");
    }
    // The flag belongs to the description that the daemon gets too.
    ::fcntl(descriptor.get(), F_SETFL, 0);
    if (path.ends_with(".npy") || (!raw.any() && begins_as_npy(descriptor.get()))) {
        Expected<NpyHeader> header = read_npy_header(descriptor.get(), path);
        if (!header) {
            return std::unexpected(header.error());
        }
        return InputFile{std::move(descriptor), header->array, header->byte_order, header->data_offset};
    }
    if (raw.any()) {
        return as_raw(std::move(descriptor), path, raw, status.st_size);
    }
    return refuse(
        path + ": the input's format is not known", "it is no .npy file",
        "For raw bytes say what they are: --input-dtype uint16 --input-shape 64,64,32. Other formats: "
        "convert to .npy first.");
}

}  // namespace slab
