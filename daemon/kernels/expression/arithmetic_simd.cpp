#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/expression/element_operations.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/arithmetic_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_BLOCK_LOOPS
#define SLAB_BLOCK_LOOPS HWY_NAMESPACE
#include "daemon/kernels/expression/block_loops_inl.hpp"

namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

void add_arithmetic_here(BlockFunctions& functions) {
    add_binary<Add, SLAB_ALL>(functions, Operation::add);
    add_binary<Subtract, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::subtract);
    add_binary<Multiply, SLAB_ALL>(functions, Operation::multiply);
    add_binary<Divide, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::divide);
    add_unary<Negative, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::negative);
    add_unary<Absolute, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::absolute);
    add_unary<Square, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::square);
    add_unary<Reciprocal, SLAB_FLOATS>(functions, Operation::reciprocal);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_arithmetic_here);

void add_arithmetic(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_arithmetic_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
