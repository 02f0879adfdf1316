#include "client/formats/output_format.hpp"

#include "client/formats/nifti/nifti_writer.hpp"
#include "client/formats/npy_header.hpp"

#include <fmt/format.h>

namespace slab {

namespace {

constexpr std::string_view packed_ending = ".gz";

std::string_view without_packing(std::string_view name) {
    return packing_of(name) == OutputPacking::none ? name
                                                   : name.substr(0, name.size() - packed_ending.size());
}

}  // namespace

OutputPacking packing_of(std::string_view name) {
    return name.ends_with(packed_ending) ? OutputPacking::gzip : OutputPacking::none;
}

Expected<OutputFormat> output_format_of(std::string_view path) {
    const std::string_view name =
        without_packing(path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1));
    const std::size_t dot = name.rfind('.');
    const std::string_view ending = dot == std::string_view::npos || dot == 0 ? "" : name.substr(dot);
    if (ending == ".npy") {
        return OutputFormat::npy;
    }
    if (ending == ".nii") {
        return OutputFormat::nifti;
    }
    if (ending == ".raw" || ending == ".bin") {
        return OutputFormat::raw;
    }
    return std::unexpected(Error{ErrorKind::usage, fmt::format("{}: the output's format is not known", path),
                                 ending.empty() ? std::string("its name has no ending")
                                                : fmt::format("the ending '{}' stands for none", ending),
                                 "End the name with .npy (numpy), .nii (NIfTI), or .raw or .bin (the "
                                 "elements only), and with .gz behind that to have it packed."});
}

Expected<OutputFormat> output_format_named(std::string_view name) {
    for (const OutputFormat format : {OutputFormat::npy, OutputFormat::raw, OutputFormat::nifti}) {
        if (without_packing(name) == name_of(format)) {
            return format;
        }
    }
    return std::unexpected(Error{ErrorKind::usage, fmt::format("the output format '{}' is not known", name),
                                 "it is npy, nii or raw",
                                 "Give --output-format npy or nii, or raw for the elements only."});
}

std::string_view name_of(OutputFormat format) {
    switch (format) {
    case OutputFormat::npy: return "npy";
    case OutputFormat::nifti: return "nii";
    case OutputFormat::raw: break;
    }
    return "raw";
}

Expected<std::string> output_header(OutputFormat format, const ArrayDescription& array,
                                    const NiftiOrigin& origin, const std::string& name) {
    if (format == OutputFormat::nifti) {
        const Expected<NiftiHeader> header = header_of_result(array, origin, name);
        return header ? Expected<std::string>(make_nifti_header(*header)) : std::unexpected(header.error());
    }
    return format == OutputFormat::npy ? make_npy_header(array) : std::string();
}

}  // namespace slab
