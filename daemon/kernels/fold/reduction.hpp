#pragma once

#include "common/array/dtype.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels::fold {

enum class Reduction : std::uint8_t {
    sum,
    mean,
    minimum,
    maximum,
    product,
    deviation,
    variance,
    count,
    any,
    all,
    least_index,
    largest_index,
    histogram,
};

// "sum", "mean", "min", ...: the choices of --reduce, in the order of Reduction.
std::vector<std::string> reduction_names();
std::optional<Reduction> reduction_named(std::string_view name);

// The type that a fold of values of `type` gathers in; two casts where a count is of what is not 0.
struct GatheringTypes {
    std::vector<DType> casts;  // the last one is what is gathered: float64, int64, uint64 or complex128
};
GatheringTypes gathering_types(Reduction reduction, DType type);

// numpy's type of the result.
DType result_type(Reduction reduction, DType type);

constexpr bool is_index(Reduction reduction) {
    return reduction == Reduction::least_index || reduction == Reduction::largest_index;
}

}  // namespace slab::kernels::fold
