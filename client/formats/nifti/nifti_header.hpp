#pragma once

#include "common/array/array_description.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slab {

// Some program's own data between header and voxels: a code that tells whose, and bytes.
struct NiftiExtension {
    std::int32_t code = 0;
    std::string data;  // with the zeros that pad it
    bool operator==(const NiftiExtension&) const = default;
};

// What stored numbers mean: stored * slope + inter.
struct NiftiScaling {
    double slope = 1.0;
    double inter = 0.0;
    bool operator==(const NiftiScaling&) const = default;
};

// The header of a NIfTI-1 or NIfTI-2 file (nifti1.h and nifti2.h of nifti.nimh.nih.gov), in the widest type that either
// version has for a field. The names are the standard's.
struct NiftiHeader {
    int version = 1;
    ByteOrder byte_order = ByteOrder::little;
    std::array<std::int64_t, 8> dim{0, 1, 1, 1, 1, 1, 1, 1};  // dim[0]: how many of the others count
    int datatype = 0;
    std::array<double, 8> pixdim{1, 1, 1, 1, 1, 1, 1, 1};  // pixdim[0]: qfac
    std::int64_t vox_offset = 0;
    double scl_slope = 1.0;
    double scl_inter = 0.0;
    double cal_max = 0.0;
    double cal_min = 0.0;
    std::int64_t slice_start = 0;
    std::int64_t slice_end = 0;
    int slice_code = 0;
    double slice_duration = 0.0;
    double toffset = 0.0;
    int dim_info = 0;
    int xyzt_units = 0;
    int intent_code = 0;
    std::array<double, 3> intent_p{};
    std::array<char, 16> intent_name{};
    std::array<char, 80> descrip{};
    std::array<char, 24> aux_file{};
    int qform_code = 0;
    std::array<double, 3> quatern{};  // b, c, d
    std::array<double, 3> qoffset{};
    int sform_code = 0;
    std::array<std::array<double, 4>, 3> srow{};
    // Of ANALYZE 7.5, unused in NIfTI-1, and carried. Some programs look at them.
    std::array<char, 10> data_type{};
    std::array<char, 18> db_name{};
    int extents = 0;
    int session_error = 0;
    int regular = 'r';
    int glmax = 0;
    int glmin = 0;
    std::vector<NiftiExtension> extensions;
    bool has_all_extensions = true;  // false: there are more than are kept in memory
};

// Bytes before the extensions: the header, and four that say whether there are any.
inline constexpr std::int64_t nifti_1_header_bytes = 352;
inline constexpr std::int64_t nifti_2_header_bytes = 544;
constexpr std::int64_t header_bytes_of(const NiftiHeader& header) {
    return header.version == 1 ? nifti_1_header_bytes : nifti_2_header_bytes;
}

// The largest extent that NIfTI-1 can tell.
inline constexpr std::int64_t most_nifti_1_extent = 32767;

// More is not carried from file to file. NIfTI-1 tells where the voxels begin by a float32: exact up to 2^24.
inline constexpr std::int64_t most_extension_bytes = std::int64_t{8} << 20;

// The indices of `dim` (from 1) that are the axes of the array, first index first: all up to dim[0]. Beyond max_rank axes of
// one element fall away, the last ones first, and never one of space. Nothing when that is not enough.
std::optional<std::vector<std::size_t>> array_axes(const NiftiHeader& header);

// Nothing where the stored numbers are the meant ones: slope 0 or none, or slope 1 and inter 0.
std::optional<NiftiScaling> scaling_of(const NiftiHeader& header);

}  // namespace slab
