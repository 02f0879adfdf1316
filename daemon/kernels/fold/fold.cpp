#include "daemon/kernels/fold/fold.hpp"

#include "daemon/kernels/map/map.hpp"

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "fold",
        .summary = "an expression of one or more arrays, reduced: its sum, mean, extremes, histogram, ...",
        .details =
            "As numpy's functions of the same names over the axes of --axis, or over all: then the result "
            "is one number, which is printed (count: numpy.count_nonzero). Types are numpy's. Sums are "
            "compensated, of float32 in double, and rounded once; integers wrap around. std and var "
            "combine counts, means and sums of squares (Chan, Golub, LeVeque 1979). The least, the "
            "largest and their indices are NaN and the first NaN's where there is one; indices are flat, "
            "in C order, over all reduced axes. Values gather in groups on one grid of the whole array: "
            "the result has the same bits however the work is divided.\n"
            "histogram counts as numpy.histogram: --bins equal bins over --range, beyond which (and NaN) "
            "nothing is counted; without --range over the finite values, which are then read twice: the "
            "arrays must fit "
            "in the volume.\n" +
            expression_details(),
        .inputs = {{"a", "0 to 5 dimensions; up to 16 arrays, in the expression a, b, c, ...",
                    InputCount::one_or_more}},
        .parameters =
            {{"expr",
              ParameterType::text,
              "what is reduced. One that begins with a minus: --expr='-a'",
              "",
              {},
              "a"},
             {"reduce", ParameterType::choice, "how", "", fold::reduction_names(), ""},
             {"axis", ParameterType::axes, "the axes that are reduced; all unless given", "", {}, ""},
             {"ddof",
              ParameterType::integer,
              "of std and var: the divisor is the count less this",
              ">= 0",
              {},
              "0"},
             {"bins",
              ParameterType::integer,
              "of histogram: how many bins; 10 unless given",
              "1 to 50000",
              {},
              ""},
             {"range",
              ParameterType::table,
              "of histogram: the ends of the first and the last bin: 0,255",
              "",
              {},
              ""}},
        .dtypes = "all, mixed as numpy mixes them",
        .reads = Reads::anywhere,
        .example = "slab run fold a.npy --expr 'sqrt(a) + a*a' --reduce sum",
    };
    return description;
}

}  // namespace

Kernel fold_kernel() {
    return {describe, plan_fold, fill_fold_scalar, fill_fold_simd, fold_band_reads};
}

void fill_fold_scalar(const TileCall& call) noexcept {
    const auto& table = *reinterpret_cast<const fold::FoldTable*>(call.table.data());
    if (table.reduction == fold::Reduction::histogram) {
        return fold::fill_histogram(call, expression::scalar_functions());
    }
    const fold::FoldFunctions functions = fold::scalar_fold(table.reduction, table.gathered);
    call.phase == 0 ? fold::fill_partials(call, expression::scalar_functions(), functions)
                    : fold::fill_output(call, functions);
}

void fill_fold_simd(const TileCall& call) noexcept {
    const auto& table = *reinterpret_cast<const fold::FoldTable*>(call.table.data());
    if (table.reduction == fold::Reduction::histogram) {
        return fold::fill_histogram(call, expression::simd_functions());
    }
    const fold::FoldFunctions functions = fold::simd_fold(table.reduction, table.gathered);
    call.phase == 0 ? fold::fill_partials(call, expression::simd_functions(), functions)
                    : fold::fill_output(call, functions);
}

}  // namespace slab::kernels
