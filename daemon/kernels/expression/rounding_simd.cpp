#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/expression/element_operations.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/rounding_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_BLOCK_LOOPS
#define SLAB_BLOCK_LOOPS HWY_NAMESPACE
#include "daemon/kernels/expression/block_loops_inl.hpp"

namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

void add_rounding_here(BlockFunctions& functions) {
    add_unary<SquareRoot, SLAB_FLOATS>(functions, Operation::square_root);
    add_unary<Floor, SLAB_FLOATS>(functions, Operation::floor);
    add_unary<Ceil, SLAB_FLOATS>(functions, Operation::ceil);
    add_unary<Truncate, SLAB_FLOATS>(functions, Operation::truncate);
    add_unary<Rint, SLAB_FLOATS>(functions, Operation::rint);
    add_unary<IsNan, SLAB_FLOATS>(functions, Operation::is_nan);
    add_unary<IsInfinite, SLAB_FLOATS>(functions, Operation::is_infinite);
    add_unary<IsFinite, SLAB_FLOATS>(functions, Operation::is_finite);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_rounding_here);

void add_rounding(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_rounding_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
