#include "client/formats/nifti/nifti_writer.hpp"

#include "client/formats/nifti/nifti_datatype.hpp"
#include "client/formats/nifti/nifti_layout.hpp"

#include <cstring>

namespace slab {
namespace {

class FieldWriter {
  public:
    explicit FieldWriter(std::string& bytes) : bytes_(bytes) {}

    template <class Stored>
    void put(std::size_t at, Stored value) {
        std::memcpy(bytes_.data() + at, &value, sizeof(value));
    }
    template <class Stored, class Value>
    void field(std::size_t at, const Value& value) {
        put(at, static_cast<Stored>(value));
    }
    template <class Stored, class Values>
    void array(std::size_t at, const Values& values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            field<Stored>(at + i * sizeof(Stored), values[i]);
        }
    }
    template <class Text>
    void text(std::size_t at, const Text& text) {
        std::memcpy(bytes_.data() + at, text.data(), text.size());
    }

  private:
    std::string& bytes_;
};

// Code and size, the data, zeros: the standard wants multiples of 16.
std::size_t padded_size(const NiftiExtension& extension) {
    return (extension.data.size() + 8 + 15) / 16 * 16;
}

}  // namespace

std::int64_t nifti_data_offset(const NiftiHeader& header) {
    constexpr std::int64_t block = 4096;
    std::int64_t bytes = header_bytes_of(header);
    for (const NiftiExtension& extension : header.extensions) {
        bytes += static_cast<std::int64_t>(padded_size(extension));
    }
    return (bytes + block - 1) / block * block;
}

std::string make_nifti_header(const NiftiHeader& header) {
    const std::int64_t data_offset = nifti_data_offset(header);
    const bool is_first = header.version == 1;
    std::string bytes(static_cast<std::size_t>(data_offset), '\0');
    FieldWriter fields(bytes);
    visit_nifti(fields, header);
    const std::size_t magic_at = is_first ? nifti_1_magic_at : nifti_2_magic_at;
    constexpr char magic_1[] = {'n', '+', '1', '\0'};
    constexpr char magic_2[] = {'n', '+', '2', '\0', '\r', '\n', '\032', '\n'};
    std::memcpy(bytes.data() + magic_at, is_first ? magic_1 : magic_2, is_first ? 4 : 8);
    fields.put(0, is_first ? nifti_1_sizeof_hdr : nifti_2_sizeof_hdr);
    const std::size_t element_bytes = size_of(dtype_of_nifti(header.datatype).value_or(DType::uint8));
    fields.put(is_first ? nifti_1_bitpix_at : nifti_2_bitpix_at,
               static_cast<std::int16_t>(8 * element_bytes));
    if (is_first) {
        fields.put(nifti_1_vox_offset_at, static_cast<float>(data_offset));
    } else {
        fields.put(nifti_2_vox_offset_at, data_offset);
    }
    auto at = static_cast<std::size_t>(header_bytes_of(header));
    bytes[at - 4] = header.extensions.empty() ? '\0' : '\1';
    for (const NiftiExtension& extension : header.extensions) {
        // Readers go from extension to extension until the voxels begin: the last one has the zeros up to there.
        const bool is_last = &extension == &header.extensions.back();
        const std::size_t size = is_last ? bytes.size() - at : padded_size(extension);
        fields.put(at, static_cast<std::int32_t>(size));
        fields.put(at + 4, extension.code);
        std::memcpy(bytes.data() + at + 8, extension.data.data(), extension.data.size());
        at += size;
    }
    return bytes;
}

}  // namespace slab
