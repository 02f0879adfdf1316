#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/expression/unary_operations.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/element_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_BLOCK_LOOPS
#define SLAB_BLOCK_LOOPS HWY_NAMESPACE
#include "daemon/kernels/expression/block_loops_inl.hpp"

namespace slab::kernels::expression {
namespace HWY_NAMESPACE {

// What gains by wider vectors than the baseline's: the rest is as fast there as memory, or rare.
void add_element_operations_here(BlockFunctions& functions) {
    using enum Operation;
    add_binary<Add, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, add);
    add_binary<Subtract, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, subtract);
    add_binary<Multiply, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, multiply);
    add_binary<Minimum, SLAB_INTEGERS, SLAB_FLOATS>(functions, minimum);
    add_binary<Maximum, SLAB_INTEGERS, SLAB_FLOATS>(functions, maximum);
    add_binary<Divide, SLAB_FLOATS>(functions, divide);
    add_binary<Less, SLAB_FLOATS>(functions, less);
    add_binary<LessEqual, SLAB_FLOATS>(functions, less_equal);
    add_binary<Greater, SLAB_FLOATS>(functions, greater);
    add_binary<GreaterEqual, SLAB_FLOATS>(functions, greater_equal);
    add_binary<Equal, SLAB_FLOATS>(functions, equal);
    add_binary<NotEqual, SLAB_FLOATS>(functions, not_equal);
    add_unary<Absolute, SLAB_FLOATS>(functions, absolute);
    add_unary<Negative, SLAB_FLOATS>(functions, negative);
    add_unary<Square, SLAB_INTEGERS, SLAB_FLOATS>(functions, square);
    add_unary<Reciprocal, SLAB_FLOATS>(functions, reciprocal);
    add_unary<SquareRoot, SLAB_FLOATS>(functions, square_root);
    add_unary<Floor, SLAB_FLOATS>(functions, Operation::floor);
    add_unary<Ceil, SLAB_FLOATS>(functions, Operation::ceil);
    add_unary<Truncate, SLAB_FLOATS>(functions, truncate);
    add_unary<Rint, SLAB_FLOATS>(functions, Operation::rint);
    functions.of(choose, DType::float32) = choose_loop<float>;
    functions.of(choose, DType::float64) = choose_loop<double>;
    add_casts_from<float, double>(functions);
    add_casts_from<double, float>(functions);
    add_casts_from<bool, SLAB_FLOATS, std::int64_t>(functions);
    add_casts_from<std::uint8_t, SLAB_FLOATS, std::uint64_t>(functions);
    add_casts_from<std::int16_t, SLAB_FLOATS, std::int64_t>(functions);
    add_casts_from<std::uint16_t, SLAB_FLOATS, std::uint64_t>(functions);
    add_casts_from<std::int32_t, SLAB_FLOATS, std::int64_t>(functions);
    add_casts_from<std::int64_t, double>(functions);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_element_operations_here);

void add_element_operations(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_element_operations_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
