#include "daemon/kernels/fold/reduction.hpp"

#include "daemon/kernels/expression/promotion.hpp"

#include <algorithm>
#include <array>

namespace slab::kernels::fold {
namespace {

constexpr std::array<std::string_view, 13> names{"sum",    "mean",   "min",      "max", "prod",
                                                 "std",    "var",    "count",    "any", "all",
                                                 "argmin", "argmax", "histogram"};

using expression::is_complex;
using expression::is_float;
using expression::is_signed_integer;

DType wide_inexact(DType type) {
    return is_complex(type) ? DType::complex128 : DType::float64;
}

}  // namespace

std::vector<std::string> reduction_names() {
    return {names.begin(), names.end()};
}

std::optional<Reduction> reduction_named(std::string_view name) {
    const auto* const found = std::ranges::find(names, name);
    return found == names.end() ? std::nullopt : std::optional(static_cast<Reduction>(found - names.begin()));
}

GatheringTypes gathering_types(Reduction reduction, DType type) {
    const bool is_inexact = is_float(type) || is_complex(type);
    switch (reduction) {
    case Reduction::sum:
    case Reduction::product:
        return {{is_inexact                                          ? wide_inexact(type)
                 : is_signed_integer(type) || type == DType::boolean ? DType::int64
                                                                     : DType::uint64}};
    case Reduction::mean:
    case Reduction::deviation:
    case Reduction::variance: return {{wide_inexact(type)}};
    case Reduction::count:
    case Reduction::any:
    case Reduction::all: return {{DType::boolean, DType::int64}};
    case Reduction::histogram: return {{type == DType::float32 ? DType::float32 : DType::float64}};
    case Reduction::minimum:
    case Reduction::maximum:
    case Reduction::least_index:
    case Reduction::largest_index: break;
    }
    return {{is_inexact ? wide_inexact(type) : is_signed_integer(type) ? DType::int64 : DType::uint64}};
}

DType result_type(Reduction reduction, DType type) {
    const bool is_inexact = is_float(type) || is_complex(type);
    switch (reduction) {
    case Reduction::sum:
    case Reduction::product:
        return is_inexact                                          ? type
               : is_signed_integer(type) || type == DType::boolean ? DType::int64
                                                                   : DType::uint64;
    case Reduction::mean: return is_inexact ? type : DType::float64;
    case Reduction::deviation:
    case Reduction::variance: return is_inexact ? expression::real_of(type) : DType::float64;
    case Reduction::any:
    case Reduction::all: return DType::boolean;
    case Reduction::minimum:
    case Reduction::maximum: return type;
    case Reduction::count:
    case Reduction::least_index:
    case Reduction::largest_index:
    case Reduction::histogram: break;
    }
    return DType::int64;
}

}  // namespace slab::kernels::fold
