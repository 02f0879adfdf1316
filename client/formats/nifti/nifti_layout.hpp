#pragma once

#include "client/formats/nifti/nifti_header.hpp"

#include <cstddef>
#include <cstdint>

namespace slab {

// Where each field of a header lies, and in which type: for readers and writers alike. `fields` has
//   field<Stored>(at, value), array<Stored>(at, values), text(at, bytes)
// sizeof_hdr, magic, bitpix and vox_offset are theirs.
template <class Fields, class Header>
void visit_nifti_1(Fields& fields, Header& header) {
    fields.text(4, header.data_type);
    fields.text(14, header.db_name);
    fields.template field<std::int32_t>(32, header.extents);
    fields.template field<std::int16_t>(36, header.session_error);
    fields.template field<std::uint8_t>(38, header.regular);
    fields.template field<std::uint8_t>(39, header.dim_info);
    fields.template array<std::int16_t>(40, header.dim);
    fields.template array<float>(56, header.intent_p);
    fields.template field<std::int16_t>(68, header.intent_code);
    fields.template field<std::int16_t>(70, header.datatype);
    fields.template field<std::int16_t>(74, header.slice_start);
    fields.template array<float>(76, header.pixdim);
    fields.template field<float>(112, header.scl_slope);
    fields.template field<float>(116, header.scl_inter);
    fields.template field<std::int16_t>(120, header.slice_end);
    fields.template field<std::uint8_t>(122, header.slice_code);
    fields.template field<std::uint8_t>(123, header.xyzt_units);
    fields.template field<float>(124, header.cal_max);
    fields.template field<float>(128, header.cal_min);
    fields.template field<float>(132, header.slice_duration);
    fields.template field<float>(136, header.toffset);
    fields.template field<std::int32_t>(140, header.glmax);
    fields.template field<std::int32_t>(144, header.glmin);
    fields.text(148, header.descrip);
    fields.text(228, header.aux_file);
    fields.template field<std::int16_t>(252, header.qform_code);
    fields.template field<std::int16_t>(254, header.sform_code);
    fields.template array<float>(256, header.quatern);
    fields.template array<float>(268, header.qoffset);
    for (std::size_t row = 0; row < 3; ++row) {
        fields.template array<float>(280 + 16 * row, header.srow[row]);
    }
    fields.text(328, header.intent_name);
}

template <class Fields, class Header>
void visit_nifti_2(Fields& fields, Header& header) {
    fields.template field<std::int16_t>(12, header.datatype);
    fields.template array<std::int64_t>(16, header.dim);
    fields.template array<double>(80, header.intent_p);
    fields.template array<double>(104, header.pixdim);
    fields.template field<double>(176, header.scl_slope);
    fields.template field<double>(184, header.scl_inter);
    fields.template field<double>(192, header.cal_max);
    fields.template field<double>(200, header.cal_min);
    fields.template field<double>(208, header.slice_duration);
    fields.template field<double>(216, header.toffset);
    fields.template field<std::int64_t>(224, header.slice_start);
    fields.template field<std::int64_t>(232, header.slice_end);
    fields.text(240, header.descrip);
    fields.text(320, header.aux_file);
    fields.template field<std::int32_t>(344, header.qform_code);
    fields.template field<std::int32_t>(348, header.sform_code);
    fields.template array<double>(352, header.quatern);
    fields.template array<double>(376, header.qoffset);
    for (std::size_t row = 0; row < 3; ++row) {
        fields.template array<double>(400 + 32 * row, header.srow[row]);
    }
    fields.template field<std::int32_t>(496, header.slice_code);
    fields.template field<std::int32_t>(500, header.xyzt_units);
    fields.template field<std::int32_t>(504, header.intent_code);
    fields.text(508, header.intent_name);
    fields.template field<std::uint8_t>(524, header.dim_info);
}

template <class Fields, class Header>
void visit_nifti(Fields& fields, Header& header) {
    if (header.version == 1) {
        visit_nifti_1(fields, header);
    } else {
        visit_nifti_2(fields, header);
    }
}

// The fields that lie elsewhere in the two versions, and whose type differs.
inline constexpr std::size_t nifti_1_magic_at = 344;
inline constexpr std::size_t nifti_2_magic_at = 4;
inline constexpr std::size_t nifti_1_bitpix_at = 72;
inline constexpr std::size_t nifti_2_bitpix_at = 14;
inline constexpr std::size_t nifti_1_vox_offset_at = 108;  // float32
inline constexpr std::size_t nifti_2_vox_offset_at = 168;  // int64
inline constexpr std::int32_t nifti_1_sizeof_hdr = 348;
inline constexpr std::int32_t nifti_2_sizeof_hdr = 540;

}  // namespace slab
