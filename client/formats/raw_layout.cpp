#include "client/formats/raw_layout.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace slab {
namespace {

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

std::string_view without_space(std::string_view text) {
    while (text.starts_with(' ')) {
        text.remove_prefix(1);
    }
    while (text.ends_with(' ')) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace

std::optional<Shape> parse_shape(std::string_view text) {
    text = without_space(text);
    if (text.starts_with('(') && text.ends_with(')')) {
        text = without_space(text.substr(1, text.size() - 2));
        if (text.ends_with(',')) {  // numpy prints one dimension as (7,)
            text.remove_suffix(1);
        }
    }
    std::vector<std::int64_t> extents;
    while (true) {
        const std::size_t comma = text.find(',');
        const std::string_view part = without_space(text.substr(0, comma));
        std::int64_t extent = 0;
        const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), extent);
        if (part.empty() || code != std::errc{} || end != part.data() + part.size()) {
            return std::nullopt;
        }
        extents.push_back(extent);
        if (comma == std::string_view::npos) {
            return shape_from(extents);
        }
        text.remove_prefix(comma + 1);
    }
}

Expected<RawLayout> parse_raw_options(const RawOptions& options) {
    if (options.dtype.empty() || options.shape.empty()) {
        return refuse("a raw input needs its element type and its shape",
                      fmt::format("{} is missing", options.dtype.empty() ? "--input-dtype" : "--input-shape"),
                      "Give both, for instance --input-dtype uint16 --input-shape 64,64,32.");
    }
    const auto dtype = parse_dtype(options.dtype);
    if (!dtype) {
        return refuse(fmt::format("the element type '{}' is not known", options.dtype),
                      "arrays are bool, (u)int8 to (u)int64, float32, float64, complex64 or complex128",
                      "Write it as numpy does: uint16, or >u2 for big-endian.");
    }
    const auto shape = parse_shape(options.shape);
    if (!shape) {
        return refuse(fmt::format("'{}' is no shape", options.shape),
                      fmt::format("a shape is 1 to {} whole numbers with commas between", max_rank),
                      "Write it slowest axis first, as numpy shows it: 64,64,32.");
    }
    if (!options.order.empty() && options.order != "C" && options.order != "F") {
        return refuse(
            fmt::format("'{}' is no memory order", options.order), "it is C or F",
            "C (the last axis is contiguous) is the default; F is Fortran's, MATLAB's and NIfTI's.");
    }
    if (options.offset.value_or(0) < 0) {
        return refuse("the input's offset is negative", fmt::format("it is {}", *options.offset),
                      "Count the bytes before the first element.");
    }
    RawLayout layout{{dtype->dtype, *shape, options.order == "F" ? MemoryOrder::fortran : MemoryOrder::c},
                     dtype->order,
                     options.offset};
    if (!checked_byte_count(layout.array)) {
        return refuse("the input's shape is larger than 2^63 bytes", to_text(*shape),
                      "Look at --input-shape.");
    }
    return layout;
}

}  // namespace slab
