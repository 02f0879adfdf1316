#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/expression/element_operations.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/cast_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_BLOCK_LOOPS
#define SLAB_BLOCK_LOOPS HWY_NAMESPACE
#include "daemon/kernels/expression/block_loops_inl.hpp"

namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

template <typename... From>
void add_each(BlockFunctions& functions) {
    (add_casts_from<From, bool, SLAB_INTEGERS, SLAB_FLOATS>(functions), ...);
}

void add_casts_here(BlockFunctions& functions) {
    add_each<bool, SLAB_INTEGERS, SLAB_FLOATS>(functions);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_casts_here);

void add_casts(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_casts_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
