#include "client/formats/table_file.hpp"

#include "client/formats/itk_transforms.hpp"
#include "client/formats/npy_header.hpp"
#include "client/formats/stored_element.hpp"
#include "client/library/job_request.hpp"
#include "common/array/table_text.hpp"
#include "common/files/unique_descriptor.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace slab {
namespace {

// A number and its separator in text: sign, 17 digits, point, exponent, and as much again for those who align columns.
constexpr std::int64_t longest_number = 64;
constexpr std::int64_t largest_text = most_table_numbers * longest_number;

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

template <typename Stored>
double number_at(const std::byte* from, bool is_swapped) {
    return static_cast<double>(stored_element<Stored>(from, is_swapped));
}

// Null for complex elements.
using NumberAt = double (*)(const std::byte* from, bool is_swapped);
NumberAt number_reader(DType dtype) {
    NumberAt read = nullptr;
    visit_real_type(dtype, [&read]<typename Stored>(Stored) { read = number_at<Stored>; });
    return read;
}

// Where the element with this number in C order lies in an array of Fortran order.
std::int64_t fortran_place(const Shape& shape, std::int64_t number) {
    std::int64_t place = 0;
    std::int64_t stride = 1;
    std::array<std::int64_t, max_rank> at{};
    for (int axis = shape.rank; axis-- > 0;) {
        at[static_cast<std::size_t>(axis)] = number % shape[axis];
        number /= shape[axis];
    }
    for (int axis = 0; axis < shape.rank; ++axis) {
        place += at[static_cast<std::size_t>(axis)] * stride;
        stride *= shape[axis];
    }
    return place;
}

Expected<NumberTable> table_of_npy(const ByteSource& source, const std::string& path) {
    const Expected<NpyHeader> header = read_npy_header(source, path);
    if (!header) {
        return std::unexpected(header.error());
    }
    const Shape& shape = header->array.shape;
    const NumberAt read = number_reader(header->array.dtype);
    const auto element = static_cast<std::int64_t>(size_of(header->array.dtype));
    const std::int64_t count = byte_count(header->array) / element;
    const std::string is = fmt::format("it is {} {}", to_text(shape), name_of(header->array.dtype));
    if (read == nullptr) {
        return refuse(path + ": a table has real numbers", is,
                      "Save its real part: np.save('table.npy', a.real).");
    }
    if (shape.rank > 3) {
        return refuse(path + ": a table has rows and columns", is,
                      "Save a 2-D array, or a 3-D one with a matrix for each row.");
    }
    if (count == 0 || count > most_table_numbers) {
        return refuse(path + (count == 0 ? ": the table is empty" : ": the table is too large"),
                      fmt::format("{}; 1 to {} numbers are possible", is, most_table_numbers),
                      "Save another array.");
    }
    const Expected<std::string> bytes =
        source(header->data_offset, static_cast<std::size_t>(count * element));
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    if (static_cast<std::int64_t>(bytes->size()) < count * element) {
        return refuse(path + ": the file is cut short",
                      fmt::format("{}, which needs {} bytes after the header; there are {}", is,
                                  count * element, bytes->size()),
                      "Write or copy the file again.");
    }
    NumberTable table{shape.rank < 2 ? 1 : shape[0], shape.rank < 2 ? count : count / shape[0], {}};
    const auto* const data = reinterpret_cast<const std::byte*>(bytes->data());
    const bool is_swapped = header->byte_order != native_byte_order;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t place = header->array.order == MemoryOrder::fortran ? fortran_place(shape, i) : i;
        table.values.push_back(read(data + place * element, is_swapped));
    }
    return table;
}

Expected<NumberTable> table_of_text(const ByteSource& source, const std::string& path,
                                    std::int64_t file_bytes) {
    if (file_bytes > largest_text) {
        return refuse(
            path + ": the table is too large",
            fmt::format("it has {} bytes; a table has at most {} numbers", file_bytes, most_table_numbers),
            "Look whether this is the file that you mean.");
    }
    const Expected<std::string> text = source(0, static_cast<std::size_t>(file_bytes));
    if (!text) {
        return std::unexpected(text.error());
    }
    if (text->starts_with(itk_magic)) {
        return itk_transforms(*text, path);
    }
    auto table = table_from_text(*text, TableText::file);
    if (!table) {
        return refuse(
            path + ": this is no table", table.error(),
            "A table is a .npy file, or text with a row of numbers a line, separated by blanks or commas; "
            "# begins a comment.");
    }
    return std::move(*table);
}

}  // namespace

Expected<NumberTable> read_table_file(const std::string& path) {
    // Non-blocking: the open of a pipe without a writer would wait for ever.
    const UniqueDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!descriptor) {
        return refuse(path + ": the table cannot be opened", errno_text(errno),
                      "Look at the spelling of the path and at the file's permissions.");
    }
    struct stat status {};
    if (::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return refuse(path + ": a table must be a regular file",
                      S_ISDIR(status.st_mode) ? "it is a folder" : "it is a pipe or a device",
                      "Save the table to a file and give that.");
    }
    const ByteSource source = bytes_of_file(descriptor.get(), path);
    const Expected<std::string> start = source(0, npy_magic.size());
    if (!start) {
        return std::unexpected(start.error());
    }
    return *start == npy_magic ? table_of_npy(source, path) : table_of_text(source, path, status.st_size);
}

}  // namespace slab
