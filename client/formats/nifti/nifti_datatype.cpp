#include "client/formats/nifti/nifti_datatype.hpp"

#include <fmt/format.h>

#include <utility>

namespace slab {
namespace {

constexpr std::pair<int, DType> known_types[] = {
    {2, DType::uint8},      {4, DType::int16},    {8, DType::int32},     {16, DType::float32},
    {32, DType::complex64}, {64, DType::float64}, {256, DType::int8},    {512, DType::uint16},
    {768, DType::uint32},   {1024, DType::int64}, {1280, DType::uint64}, {1792, DType::complex128},
};

}  // namespace

int nifti_code_of(DType dtype) {
    for (const auto& [code, known] : known_types) {
        if (known == dtype) {
            return code;
        }
    }
    return 2;  // bool
}

std::optional<DType> dtype_of_nifti(int code) {
    for (const auto& [known, dtype] : known_types) {
        if (known == code) {
            return dtype;
        }
    }
    return std::nullopt;
}

std::string nifti_type_name(int code) {
    switch (code) {
    case 1: return "single bits";
    case 128: return "RGB colours (RGB24)";
    case 1536: return "float128";
    case 2048: return "complex256";
    case 2304: return "RGBA colours (RGBA32)";
    default: break;
    }
    const auto dtype = dtype_of_nifti(code);
    return dtype ? std::string(name_of(*dtype)) : fmt::format("the unknown datatype {}", code);
}

}  // namespace slab
