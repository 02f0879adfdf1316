#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_type.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/exponential_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "daemon/kernels/expression/guarded_loop_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void add_exponentials_here(BlockFunctions&) {}

#else

// Highway's vector mathematics without its denormals, and where its own results would be none.
SLAB_VECTOR_FUNCTION(Exp, Exp, -87.0, 88.0, -708.0, 706.0);
SLAB_VECTOR_FUNCTION(Expm1, Expm1, -80.0, 88.0, -700.0, 700.0);
SLAB_VECTOR_FUNCTION(Log, Log, 1.2e-38, 3.4e38, 2.3e-308, 1.79e308);
SLAB_VECTOR_FUNCTION(Log2, Log2, 1.2e-38, 3.4e38, 2.3e-308, 1.79e308);
SLAB_VECTOR_FUNCTION(Log10, Log10, 1.2e-38, 3.4e38, 2.3e-308, 1.79e308);
SLAB_VECTOR_FUNCTION(Log1p, Log1p, 1e-30, 1e38, 1e-300, 1e300);
SLAB_VECTOR_FUNCTION(Tanh, Tanh, -80.0, 80.0, -700.0, 700.0);

void add_exponentials_here(BlockFunctions& functions) {
    add_guarded<VectorExp>(functions, Operation::exp);
    add_guarded<VectorExpm1>(functions, Operation::expm1);
    add_guarded<VectorLog>(functions, Operation::log);
    add_guarded<VectorLog2>(functions, Operation::log2);
    add_guarded<VectorLog10>(functions, Operation::log10);
    add_guarded<VectorLog1p>(functions, Operation::log1p);
    add_guarded<VectorTanh>(functions, Operation::tanh);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_exponentials_here);

void add_exponentials(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_exponentials_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
