#include "client/formats/nifti/nifti_reader.hpp"

#include "client/formats/nifti/nifti_datatype.hpp"
#include "client/formats/nifti/nifti_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace slab {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view single_1 = "n+1\0"sv;
constexpr std::string_view pair_1 = "ni1\0"sv;
constexpr std::string_view single_2 = "n+2\0\r\n\032\n"sv;
constexpr std::string_view pair_2 = "ni2\0"sv;

std::unexpected<Error> refuse(const std::string& name, std::string_view what, std::string because,
                              std::string remedy = {}) {
    return std::unexpected(
        Error{ErrorKind::usage, fmt::format("{}: {}", name, what), std::move(because), std::move(remedy)});
}

std::unexpected<Error> refuse_short(const std::string& name, std::int64_t wanted, std::size_t found) {
    return refuse(name, "the file is cut short",
                  fmt::format("its header should have {} bytes; the whole file has {}", wanted, found),
                  "Write or copy the file again.");
}

// Of bytes that are there.
class FieldReader {
  public:
    FieldReader(std::string_view bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

    template <class Stored>
    Stored get(std::size_t at) const {
        std::array<char, sizeof(Stored)> raw{};
        std::memcpy(raw.data(), bytes_.data() + at, raw.size());
        const bool is_native = (std::endian::native == std::endian::little) == (order_ == ByteOrder::little);
        if (!is_native) {
            std::ranges::reverse(raw);
        }
        return std::bit_cast<Stored>(raw);
    }
    template <class Stored, class Value>
    void field(std::size_t at, Value& value) const {
        value = static_cast<Value>(get<Stored>(at));
    }
    template <class Stored, class Values>
    void array(std::size_t at, Values& values) const {
        for (std::size_t i = 0; i < values.size(); ++i) {
            field<Stored>(at + i * sizeof(Stored), values[i]);
        }
    }
    template <class Text>
    void text(std::size_t at, Text& text) const {
        std::memcpy(text.data(), bytes_.data() + at, text.size());
    }

  private:
    std::string_view bytes_;
    ByteOrder order_;
};

struct Kind {
    int version;
    ByteOrder order;
};

std::optional<Kind> kind_of(std::string_view start) {
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
        const std::int32_t size = start.size() < 4 ? 0 : FieldReader(start, order).get<std::int32_t>(0);
        if (size == nifti_1_sizeof_hdr || size == nifti_2_sizeof_hdr) {
            return Kind{size == nifti_1_sizeof_hdr ? 1 : 2, order};
        }
    }
    return std::nullopt;
}

std::string_view magic_of(std::string_view start, int version) {
    return version == 1 ? start.substr(std::min(start.size(), nifti_1_magic_at), single_1.size())
                        : start.substr(std::min(start.size(), nifti_2_magic_at), single_2.size());
}

Expected<void> check_magic(std::string_view magic, int version, const std::string& name) {
    if (magic == (version == 1 ? single_1 : single_2)) {
        return {};
    }
    if (magic.starts_with(pair_1) || magic.starts_with(pair_2)) {
        return refuse(name, "a pair of files, .hdr and .img, is not read",
                      "the file holds a header whose voxels are in another file",
                      "Make one file of the two, in Python: nibabel.save(nibabel.load('x.hdr'), 'x.nii').");
    }
    if (version == 2 && magic.starts_with(single_2.substr(0, 4))) {
        return refuse(name, "the header is damaged",
                      "the end of its magic was changed, as by a transfer that converts line ends",
                      "Copy the file again, as binary.");
    }
    return refuse(name, "this is no NIfTI file",
                  version == 1 ? "it has no magic at byte 344, as ANALYZE 7.5 headers have none"
                               : "it has no magic at byte 4",
                  "Convert it, in Python: nibabel.save(nibabel.load('x.img'), 'x.nii').");
}

// How FreeSurfer, and nibabel with it, write vectors that are too long for NIfTI-1.
void read_long_vector(NiftiHeader& header) {
    if (header.version == 1 && header.dim[1] == -1 && header.dim[2] == 1 && header.dim[3] == 1 &&
        header.glmin > 0) {
        header.dim[1] = header.glmin;
        header.glmin = 0;
    }
}

Expected<void> check_shape(const NiftiHeader& header, const std::string& name) {
    if (header.dim[0] < 1 || header.dim[0] > 7) {
        return refuse(name, "the header cannot be read",
                      fmt::format("its dim[0] is {}; an image has 1 to 7 dimensions", header.dim[0]));
    }
    const auto rank = static_cast<std::ptrdiff_t>(header.dim[0]);
    const auto negative =
        std::find_if(header.dim.begin() + 1, header.dim.begin() + 1 + rank, [](auto n) { return n < 0; });
    if (negative != header.dim.begin() + 1 + rank) {
        return refuse(name, "the header cannot be read",
                      fmt::format("its dim[{}] is {}", negative - header.dim.begin(), *negative),
                      "Write the file again.");
    }
    if (!array_axes(header)) {
        return refuse(name, fmt::format("images of {} dimensions are not supported", rank),
                      fmt::format("at most {} are, and of the axes behind the third too few have one element",
                                  max_rank),
                      "Join neighbouring axes, in Python with reshape.");
    }
    if (!checked_byte_count(array_of(header))) {
        return refuse(name, "the array is larger than 2^63 bytes",
                      fmt::format("its shape is {}", to_text(array_of(header).shape)),
                      "Write the file again.");
    }
    return {};
}

Expected<std::int64_t> data_offset(const FieldReader& fields, const NiftiHeader& header,
                                   const std::string& name) {
    constexpr std::string_view what = "the header cannot be read";
    const std::int64_t least = header_bytes_of(header);
    std::int64_t offset = 0;
    if (header.version == 1) {
        const double given = fields.get<float>(nifti_1_vox_offset_at);
        if (!(given >= 0.0 && given < 0x1p62) || given != std::floor(given)) {
            return refuse(name, what, fmt::format("its vox_offset is {}, no place in a file", given));
        }
        offset = static_cast<std::int64_t>(given);
    } else {
        offset = fields.get<std::int64_t>(nifti_2_vox_offset_at);
    }
    if (offset == 0) {  // not told: directly behind the header, as nibabel reads it
        return least;
    }
    if (offset < least || offset >= std::int64_t{1} << 62) {
        return refuse(name, what,
                      fmt::format("its vox_offset is {}; the header itself has {} bytes", offset, least));
    }
    return offset;
}

// Those that are whole; what other programs left behind the last of them is none.
Expected<void> read_extensions(const ByteSource& source, NiftiHeader& header) {
    const std::int64_t begin = header_bytes_of(header);
    const std::int64_t given = header.vox_offset - begin;
    const auto bytes = source(begin, static_cast<std::size_t>(std::min(given, most_extension_bytes)));
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    const FieldReader fields(*bytes, header.byte_order);
    std::size_t at = 0;
    while (at + 8 <= bytes->size()) {
        const auto size = fields.get<std::int32_t>(at);
        if (size < 8 || static_cast<std::size_t>(size) > bytes->size() - at) {
            header.has_all_extensions = size < 8 || given <= most_extension_bytes;
            break;
        }
        header.extensions.push_back(
            {fields.get<std::int32_t>(at + 4), bytes->substr(at + 8, static_cast<std::size_t>(size) - 8)});
        at += static_cast<std::size_t>(size);
    }
    return {};
}

}  // namespace

bool begins_as_nifti(std::string_view start) {
    const auto kind = kind_of(start);
    if (!kind) {
        return false;
    }
    const std::string_view magic = magic_of(start, kind->version);
    return kind->version == 1 ? magic == single_1 || magic == pair_1
                              : magic.starts_with(single_2.substr(0, 4)) || magic.starts_with(pair_2);
}

Expected<NiftiHeader> read_nifti_header(const ByteSource& source, const std::string& name) {
    const Expected<std::string> start = source(0, static_cast<std::size_t>(nifti_2_header_bytes));
    if (!start) {
        return std::unexpected(start.error());
    }
    const auto kind = kind_of(*start);
    if (!kind && start->size() >= 4) {
        return refuse(name, "this is no NIfTI file",
                      fmt::format("its first number is neither {} (NIfTI-1) nor {} (NIfTI-2)",
                                  nifti_1_sizeof_hdr, nifti_2_sizeof_hdr),
                      "If it is something else, give it the name of that.");
    }
    NiftiHeader header;
    header.version = kind ? kind->version : 1;
    header.byte_order = kind ? kind->order : ByteOrder::little;
    if (!kind || static_cast<std::int64_t>(start->size()) < header_bytes_of(header) - 4) {
        return refuse_short(name, header_bytes_of(header) - 4, start->size());
    }
    if (const auto good = check_magic(magic_of(*start, header.version), header.version, name); !good) {
        return std::unexpected(good.error());
    }
    FieldReader fields(*start, header.byte_order);
    visit_nifti(fields, header);
    read_long_vector(header);
    if (!dtype_of_nifti(header.datatype)) {
        return refuse(name, fmt::format("elements of {} are not supported", nifti_type_name(header.datatype)),
                      "images are of (u)int8 to (u)int64, float32, float64, complex64 or complex128",
                      "Convert it to one of these; of colours take one channel after the other.");
    }
    if (const auto good = check_shape(header, name); !good) {
        return std::unexpected(good.error());
    }
    if (scaling_of(header) && !std::isfinite(header.scl_inter)) {
        return refuse(
            name, "the header cannot be read",
            fmt::format("its scl_slope is {}, its scl_inter {}", header.scl_slope, header.scl_inter),
            "Correct scl_inter; a scl_slope of 0 means that nothing is scaled.");
    }
    const auto offset = data_offset(fields, header, name);
    if (!offset) {
        return std::unexpected(offset.error());
    }
    header.vox_offset = *offset;
    const auto extender = static_cast<std::size_t>(header_bytes_of(header)) - 4;
    if (start->size() > extender && (*start)[extender] != '\0') {
        if (const auto read = read_extensions(source, header); !read) {
            return std::unexpected(read.error());
        }
    }
    return header;
}

ArrayDescription array_of(const NiftiHeader& header) {
    ArrayDescription array;
    array.dtype = dtype_of_nifti(header.datatype).value_or(DType::uint8);
    array.order = MemoryOrder::fortran;
    for (const std::size_t axis : array_axes(header).value_or(std::vector<std::size_t>{})) {
        array.shape[array.shape.rank++] = header.dim[axis];
    }
    return array;
}

}  // namespace slab
