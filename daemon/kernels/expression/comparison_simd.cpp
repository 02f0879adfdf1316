#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/expression/element_operations.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/comparison_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_BLOCK_LOOPS
#define SLAB_BLOCK_LOOPS HWY_NAMESPACE
#include "daemon/kernels/expression/block_loops_inl.hpp"

namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

template <typename... T>
void add_choices(BlockFunctions& functions) {
    ((functions.of(Operation::choose, dtype_of<T>()) = choose_loop<T>), ...);
}

void add_comparisons_here(BlockFunctions& functions) {
    add_binary<Minimum, bool, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::minimum);
    add_binary<Maximum, bool, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::maximum);
    add_binary<Less, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::less);
    add_binary<LessEqual, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::less_equal);
    add_binary<Greater, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::greater);
    add_binary<GreaterEqual, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::greater_equal);
    add_binary<Equal, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::equal);
    add_binary<NotEqual, SLAB_INTEGERS, SLAB_FLOATS>(functions, Operation::not_equal);
    add_binary<BitwiseAnd, bool, SLAB_UNSIGNED, SLAB_SIGNED>(functions, Operation::bitwise_and);
    add_binary<BitwiseOr, bool, SLAB_UNSIGNED, SLAB_SIGNED>(functions, Operation::bitwise_or);
    add_binary<BitwiseXor, bool, SLAB_UNSIGNED, SLAB_SIGNED>(functions, Operation::bitwise_xor);
    add_unary<Invert, bool, SLAB_INTEGERS>(functions, Operation::invert);
    add_unary<Sign, SLAB_FLOATS>(functions, Operation::sign);
    add_choices<SLAB_ALL>(functions);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_comparisons_here);

void add_comparisons(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_comparisons_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
