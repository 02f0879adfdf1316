#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_type.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/trigonometry_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "daemon/kernels/expression/guarded_loop_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void add_trigonometry_here(BlockFunctions&) {}

#else

SLAB_VECTOR_FUNCTION(Sin, Sin, -39000.0, 39000.0, -39000.0, 39000.0);
SLAB_VECTOR_FUNCTION(Cos, Cos, -39000.0, 39000.0, -39000.0, 39000.0);
SLAB_VECTOR_FUNCTION(Arcsin, Asin, -1.0, 1.0, -1.0, 1.0);
SLAB_VECTOR_FUNCTION(Arccos, Acos, -1.0, 1.0, -1.0, 1.0);
SLAB_VECTOR_FUNCTION(Arctan, Atan, -3.4e38, 3.4e38, -1.79e308, 1.79e308);

void add_trigonometry_here(BlockFunctions& functions) {
    add_guarded<VectorSin>(functions, Operation::sin);
    add_guarded<VectorCos>(functions, Operation::cos);
    add_guarded<VectorArcsin>(functions, Operation::arcsin);
    add_guarded<VectorArccos>(functions, Operation::arccos);
    add_guarded<VectorArctan>(functions, Operation::arctan);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_trigonometry_here);

void add_trigonometry(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_trigonometry_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
