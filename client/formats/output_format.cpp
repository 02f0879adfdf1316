#include "client/formats/output_format.hpp"

#include "client/formats/npy_header.hpp"

#include <fmt/format.h>

namespace slab {

Expected<OutputFormat> output_format_of(std::string_view path) {
    const std::string_view name =
        path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
    const std::size_t dot = name.rfind('.');
    const std::string_view ending = dot == std::string_view::npos || dot == 0 ? "" : name.substr(dot);
    if (ending == ".npy") {
        return OutputFormat::npy;
    }
    if (ending == ".raw" || ending == ".bin") {
        return OutputFormat::raw;
    }
    return std::unexpected(Error{ErrorKind::usage, fmt::format("{}: the output's format is not known", path),
                                 ending.empty() ? std::string("its name has no ending")
                                                : fmt::format("the ending '{}' stands for none", ending),
                                 "End the name with .npy (numpy), or .raw or .bin (the elements only)."});
}

Expected<OutputFormat> output_format_named(std::string_view name) {
    for (const OutputFormat format : {OutputFormat::npy, OutputFormat::raw}) {
        if (name == name_of(format)) {
            return format;
        }
    }
    return std::unexpected(Error{ErrorKind::usage, fmt::format("the output format '{}' is not known", name),
                                 "it is npy or raw",
                                 "Give --output-format npy, or raw for the elements only."});
}

std::string_view name_of(OutputFormat format) {
    return format == OutputFormat::npy ? "npy" : "raw";
}

std::int64_t payload_offset_of(OutputFormat format) {
    return format == OutputFormat::npy ? npy_data_offset : 0;
}

std::string output_header(OutputFormat format, const ArrayDescription& array) {
    return format == OutputFormat::npy ? make_npy_header(array) : std::string();
}

}  // namespace slab
