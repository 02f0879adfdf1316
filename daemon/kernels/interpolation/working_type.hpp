#pragma once

#include "common/array/dtype.hpp"
#include "common/array/shape.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels {

// In what a kernel that interpolates computes. Integers go through double, as in scipy: float holds no more than 24
// bits of them.
enum class WorkingType : std::uint8_t { float32, float64 };

// The parameter `precision`.
enum class Precision : std::uint8_t { automatic, as_float, as_double };
std::vector<std::string> precision_names();  // auto, single, double
std::optional<Precision> precision_named(std::string_view name);

// Automatic: float32 and complex64 in float32 up to order 3, all else in double. Order 4 and 5 in float32 would be off by
// up to 8e-6 of the range in three dimensions (measured): a prefilter makes the highest frequency 4.8 and 7.5 times as
// large along each axis, and the rounding before it.
WorkingType working_type(DType input, Precision precision, int order);

// Complex arrays are real arrays of twice as many columns: nothing that interpolates mixes the two parts.
constexpr bool is_complex(DType dtype) {
    return dtype == DType::complex64 || dtype == DType::complex128;
}
constexpr std::int64_t parts_of(DType dtype) {
    return is_complex(dtype) ? 2 : 1;
}
constexpr DType part_dtype(DType dtype) {
    return dtype == DType::complex64 ? DType::float32 : dtype == DType::complex128 ? DType::float64 : dtype;
}

// The dtype of a workspace for arrays of this dtype: real or complex as they are.
DType workspace_dtype(DType input, WorkingType type);

// Calls visit(T()) with float or double.
template <class Visit>
void with_working_type(WorkingType type, const Visit& visit) {
    if (type == WorkingType::float32) {
        visit(float());
    } else {
        visit(double());
    }
}

}  // namespace slab::kernels
