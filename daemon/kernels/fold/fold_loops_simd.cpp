#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/fold/fold_functions.hpp"
#include "daemon/kernels/fold/reducers.hpp"
#include "daemon/kernels/simd_targets.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/fold/fold_loops_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_REDUCER_LOOPS
#define SLAB_REDUCER_LOOPS HWY_NAMESPACE
#include "daemon/kernels/fold/reducer_loops_inl.hpp"

namespace slab::kernels::fold {
namespace HWY_NAMESPACE {

template <class Reducer>
void take(FoldFunctions& functions) {
    functions.run = run<Reducer>;
    functions.columns = columns<Reducer>;
}

template <class Choice>
void take_extreme(FoldFunctions& functions) {
    functions.run = extreme_run<Choice, double>;
    functions.columns = columns<Extreme<Choice, double>>;
}

// The types of most arrays; the others are gathered by the definition's loops.
void take_loops_here(Reduction reduction, DType gathered, FoldFunctions& functions) {
    using expression::Maximum;
    using expression::Minimum;
    if (gathered != DType::float64) {
        if (gathered != DType::complex128 && functions.state_bytes == 8 && reduction != Reduction::minimum &&
            reduction != Reduction::maximum && reduction != Reduction::product) {
            take<Sum<std::int64_t>>(functions);
        }
        return;
    }
    switch (reduction) {
    case Reduction::sum:
    case Reduction::mean: take_tail_loops(functions); return take<Sum<double>>(functions);
    case Reduction::minimum: return take_extreme<Minimum>(functions);
    case Reduction::maximum: return take_extreme<Maximum>(functions);
    case Reduction::deviation:
    case Reduction::variance:
        functions.run = moments_run<double>;
        functions.columns = columns<Moments<double>>;
        return;
    case Reduction::least_index: functions.run = index_run<Minimum, double>; return;
    case Reduction::largest_index: functions.run = index_run<Maximum, double>; return;
    default: return;
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::fold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::fold {

HWY_EXPORT(take_loops_here);

void take_simd_loops(Reduction reduction, DType gathered, FoldFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(take_loops_here)(reduction, gathered, functions);
}

}  // namespace slab::kernels::fold
#endif
