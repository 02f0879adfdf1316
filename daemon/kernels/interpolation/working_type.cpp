#include "daemon/kernels/interpolation/working_type.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace slab::kernels {
namespace {

constexpr std::array<std::string_view, 3> names{"auto", "single", "double"};

}  // namespace

std::vector<std::string> precision_names() {
    return {names.begin(), names.end()};
}

std::optional<Precision> precision_named(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? std::nullopt
                                : std::optional(static_cast<Precision>(std::distance(names.begin(), found)));
}

WorkingType working_type(DType input, Precision precision, int order) {
    if (precision == Precision::automatic) {
        return part_dtype(input) == DType::float32 && order <= 3 ? WorkingType::float32
                                                                 : WorkingType::float64;
    }
    return precision == Precision::as_float ? WorkingType::float32 : WorkingType::float64;
}

DType workspace_dtype(DType input, WorkingType type) {
    if (is_complex(input)) {
        return type == WorkingType::float32 ? DType::complex64 : DType::complex128;
    }
    return type == WorkingType::float32 ? DType::float32 : DType::float64;
}

}  // namespace slab::kernels
