#include "client/formats/input_file.hpp"

#include "client/formats/gzip_beginning.hpp"
#include "client/formats/nifti/nifti_reader.hpp"
#include "client/formats/npy_header.hpp"
#include "common/units/byte_size.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace slab {
namespace {

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

// How many bytes of array a file can hold, and how its errors say that.
struct Capacity {
    std::int64_t bytes = 0;
    std::string text;
};

bool begins_with(const ByteSource& source, std::string_view magic) {
    const Expected<std::string> start = source(0, magic.size());
    return start && *start == magic;
}

Expected<InputFile> as_npy(UniqueDescriptor descriptor, const std::string& path, const ByteSource& source,
                           const Capacity& capacity) {
    const Expected<NpyHeader> header = read_npy_header(source, path);
    if (!header) {
        return std::unexpected(header.error());
    }
    if (capacity.bytes - header->data_offset < byte_count(header->array)) {
        return refuse(path + ": the file is cut short",
                      fmt::format("{} {} needs {} after the header, the file has {}",
                                  to_text(header->array.shape), name_of(header->array.dtype),
                                  byte_size_text(byte_count(header->array)), capacity.text),
                      "Write or copy the file again.");
    }
    return InputFile{std::move(descriptor), header->array, header->byte_order, header->data_offset};
}

Expected<InputFile> as_nifti(UniqueDescriptor descriptor, const std::string& path, const ByteSource& source,
                             const Capacity& capacity) {
    Expected<NiftiHeader> header = read_nifti_header(source, path);
    if (!header) {
        return std::unexpected(header.error());
    }
    const ArrayDescription array = array_of(*header);
    const std::int64_t offset = header->vox_offset;
    if (capacity.bytes - offset < byte_count(array)) {
        return refuse(path + ": the file is cut short",
                      fmt::format("{} {} needs {} bytes from byte {} on, the file has {}",
                                  to_text(array.shape), name_of(array.dtype), byte_count(array), offset,
                                  capacity.text),
                      "Write or copy the file again.");
    }
    const ByteOrder order = header->byte_order;
    return InputFile{std::move(descriptor), array, order, offset, InputCodec::none, std::move(*header)};
}

// Nothing for a file that is neither.
std::optional<Expected<InputFile>> with_header(UniqueDescriptor& descriptor, const std::string& path,
                                               const ByteSource& source, const Capacity& capacity,
                                               bool is_raw) {
    const std::string_view name =
        path.ends_with(".gz") ? std::string_view(path).substr(0, path.size() - 3) : path;
    const auto begins_as = [&](auto&& claim, std::size_t bytes) {
        const Expected<std::string> start = is_raw ? Expected<std::string>("") : source(0, bytes);
        return start && claim(*start);
    };
    const auto is_npy = [](const std::string& start) { return start.starts_with(npy_magic); };
    if (name.ends_with(".npy") || (!name.ends_with(".nii") && begins_as(is_npy, npy_magic.size()))) {
        return as_npy(std::move(descriptor), path, source, capacity);
    }
    if ((name.ends_with(".nii") && !is_raw) || begins_as(begins_as_nifti, nifti_1_header_bytes)) {
        return as_nifti(std::move(descriptor), path, source, capacity);
    }
    return std::nullopt;
}

Expected<InputFile> as_raw(UniqueDescriptor descriptor, const std::string& path, const RawOptions& options,
                           const Capacity& capacity) {
    const Expected<RawLayout> layout = parse_raw_options(options);
    if (!layout) {
        return std::unexpected(layout.error());
    }
    const std::int64_t bytes = byte_count(layout->array);
    const std::int64_t offset = layout->offset.value_or(0);
    if (offset > capacity.bytes || bytes > capacity.bytes - offset) {
        return refuse(path + ": the file is shorter than its shape",
                      fmt::format("{} {} from byte {} on needs {} bytes; the file has {}",
                                  to_text(layout->array.shape), name_of(layout->array.dtype), offset, bytes,
                                  capacity.text),
                      "Look at --input-shape, --input-dtype and --input-offset.");
    }
    return InputFile{std::move(descriptor), layout->array, layout->byte_order, offset};
}

Error unknown_format(const std::string& path) {
    if (path.ends_with(".hdr") || path.ends_with(".img")) {
        return {ErrorKind::usage, path + ": a pair of files, .hdr and .img, is not read",
                "header and voxels are in two files",
                "Make one file of the two, in Python: nibabel.save(nibabel.load('x.hdr'), 'x.nii')."};
    }
    return {ErrorKind::usage, path + ": the input's format is not known",
            "it is neither a .npy nor a NIfTI file",
            "For raw bytes say what they are: --input-dtype uint16 --input-shape 64,64,32. Other formats: "
            "convert to .npy or .nii first."};
}

Expected<InputFile> open_plain(UniqueDescriptor descriptor, const std::string& path, const RawOptions& raw,
                               std::int64_t file_bytes) {
    const Capacity capacity{file_bytes, fmt::format("{} bytes", file_bytes)};
    const ByteSource source = bytes_of_file(descriptor.get(), path);
    if (auto known = with_header(descriptor, path, source, capacity, raw.any())) {
        return std::move(*known);
    }
    if (!raw.any()) {
        return std::unexpected(unknown_format(path));
    }
    Expected<InputFile> file = as_raw(std::move(descriptor), path, raw, capacity);
    if (file && !raw.offset && byte_count(file->array) != file_bytes) {
        return refuse(
            path + ": the file is longer than its shape",
            fmt::format("{} {} is {} bytes; the file has {}", to_text(file->array.shape),
                        name_of(file->array.dtype), byte_count(file->array), file_bytes),
            "Look at --input-shape and --input-dtype; if only a part is wanted, say where it begins "
            "with --input-offset (0 too).");
    }
    return file;
}

Expected<InputFile> open_gzip(UniqueDescriptor descriptor, const std::string& path, const RawOptions& raw,
                              std::int64_t file_bytes) {
    const Capacity capacity{
        file_bytes * most_inflation,
        fmt::format("{} bytes, and gzip packs {} to 1 at best", file_bytes, most_inflation)};
    const ByteSource source = [&path, fd = descriptor.get()](std::int64_t offset, std::size_t bytes) {
        Expected<std::string> text = inflate_beginning(fd, static_cast<std::size_t>(offset) + bytes, path);
        if (text) {
            text->erase(0, static_cast<std::size_t>(offset));
        }
        return text;
    };
    if (const Expected<std::string> start = source(0, 1); !start) {
        return std::unexpected(start.error());
    }
    Expected<InputFile> file = std::unexpected(unknown_format(path));
    if (auto known = with_header(descriptor, path, source, capacity, raw.any())) {
        file = std::move(*known);
    } else if (raw.any()) {
        file = as_raw(std::move(descriptor), path, raw, capacity);
    }
    if (file) {
        file->codec = InputCodec::gzip;
    }
    return file;
}

}  // namespace

Expected<UniqueDescriptor> open_regular_file(const std::string& path) {
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
    return descriptor;
}

Expected<InputFile> open_input(const std::string& path, const RawOptions& raw) {
    Expected<UniqueDescriptor> descriptor = open_regular_file(path);
    if (!descriptor) {
        return std::unexpected(descriptor.error());
    }
    struct stat status {};
    if (::fstat(descriptor->get(), &status) != 0) {
        return refuse(path + ": the input cannot be read", errno_text(errno), "");
    }
    // Raw bytes may begin like anything: there the name decides.
    const bool is_packed =
        path.ends_with(".gz") || (!path.ends_with(".npy") && !raw.any() &&
                                  begins_with(bytes_of_file(descriptor->get(), path), gzip_magic));
    return is_packed ? open_gzip(std::move(*descriptor), path, raw, status.st_size)
                     : open_plain(std::move(*descriptor), path, raw, status.st_size);
}

}  // namespace slab
