#include "daemon/kernels/map/map.hpp"

#include "daemon/kernels/expression/signature.hpp"

#include <fmt/format.h>

namespace slab::kernels {
namespace {

std::vector<std::string> dtype_names() {
    std::vector<std::string> names;
    for (int i = 0; i < dtype_count; ++i) {
        names.emplace_back(name_of(static_cast<DType>(i)));
    }
    return names;
}

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "map",
        .summary = "an expression of one or more arrays, element by element: sqrt(a) + b**2",
        .details = expression_details(),
        .inputs = {{"a", "0 to 5 dimensions; up to 16 arrays, in the expression a, b, c, ...",
                    InputCount::one_or_more}},
        .parameters = {{"expr",
                        ParameterType::text,
                        "what is computed. One that begins with a minus: --expr='-a'",
                        "",
                        {},
                        ""},
                       {"output_dtype", ParameterType::choice,
                        "convert the result to this type, as numpy's astype; else it has numpy's type", "",
                        dtype_names(), ""}},
        .dtypes = "all, mixed as numpy mixes them",
        .reads = Reads::point,
        .example = "slab run map a.npy b.npy --expr 'sqrt(a) + b**2' -o c.npy",
    };
    return description;
}

}  // namespace

std::string expression_details() {
    return fmt::format(
        "The inputs are a, b, c, ... in their order, broadcast as numpy broadcasts them. Operators, with "
        "Python's precedences: + - * / // % **, comparisons (not chained), & | ^ ~ << >>, parentheses. "
        "Constants: numbers, 2j, pi, e (of five arrays and more e is the fifth), inf, nan, True, False. "
        "Functions: {}.\n"
        "Types are numpy 1.24's: arrays by numpy.promote_types, numbers by their value. Integers wrap "
        "around; anything // 0 or % 0 of integers is 0; an integer array to a negative power, which numpy "
        "refuses, is cut to a whole number. Where numpy computes in float16 (sqrt of int8, say) the type "
        "is float32. Exp, logarithms and trigonometry are within a few units in the last place of the C "
        "library's; all else is numpy's arithmetic bit for bit, without fused multiply-add.",
        expression::function_names());
}

Kernel map_kernel() {
    return {describe, plan_map, fill_map_scalar, fill_map_simd, map_band_reads};
}

}  // namespace slab::kernels
