#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/expression/function_operations.hpp"
#include "daemon/kernels/expression/unary_operations.hpp"

#include <hwy/targets.h>

#include <map>
#include <mutex>

#define SLAB_BLOCK_LOOPS definition
#include "daemon/kernels/expression/block_loops_inl.hpp"

namespace slab::kernels::expression {
namespace {

using namespace definition;
using enum Operation;

template <typename... T>
void add_all_casts(BlockFunctions& functions) {
    (add_casts_from<T, SLAB_ALL>(functions), ...);
    ((functions.of(choose, dtype_of<T>()) = choose_loop<T>), ...);
}

void add_operators(BlockFunctions& functions) {
    add_binary<Add, SLAB_ALL>(functions, add);
    add_binary<Subtract, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, subtract);
    add_binary<Multiply, SLAB_ALL>(functions, multiply);
    add_binary<Divide, SLAB_FLOATS, SLAB_COMPLEX>(functions, divide);
    add_binary<FloorDivide, SLAB_INTEGERS, SLAB_FLOATS>(functions, floor_divide);
    add_binary<Remainder, SLAB_INTEGERS, SLAB_FLOATS>(functions, remainder);
    add_binary<Power, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, power);
    add_binary<Minimum, SLAB_ALL>(functions, minimum);
    add_binary<Maximum, SLAB_ALL>(functions, maximum);
    add_binary<BitwiseAnd, bool, SLAB_INTEGERS>(functions, bitwise_and);
    add_binary<BitwiseOr, bool, SLAB_INTEGERS>(functions, bitwise_or);
    add_binary<BitwiseXor, bool, SLAB_INTEGERS>(functions, bitwise_xor);
    add_binary<ShiftLeft, SLAB_INTEGERS>(functions, shift_left);
    add_binary<ShiftRight, SLAB_INTEGERS>(functions, shift_right);
    add_binary<Less, SLAB_ALL>(functions, less);
    add_binary<LessEqual, SLAB_ALL>(functions, less_equal);
    add_binary<Greater, SLAB_ALL>(functions, greater);
    add_binary<GreaterEqual, SLAB_ALL>(functions, greater_equal);
    add_binary<Equal, SLAB_ALL>(functions, equal);
    add_binary<NotEqual, SLAB_ALL>(functions, not_equal);
}

void add_unary_operators(BlockFunctions& functions) {
    add_unary<Copy, SLAB_ALL>(functions, copy);
    add_unary<Negative, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, negative);
    add_unary<Invert, bool, SLAB_INTEGERS>(functions, invert);
    add_unary<Absolute, SLAB_ALL>(functions, absolute);
    add_unary<Sign, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, sign);
    add_unary<Square, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, square);
    add_unary<Reciprocal, SLAB_FLOATS, SLAB_COMPLEX>(functions, reciprocal);
    add_unary<Conjugate, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX>(functions, conjugate);
    add_unary<RealPart, SLAB_ALL>(functions, real_part);
    add_unary<ImaginaryPart, SLAB_ALL>(functions, imaginary_part);
    add_unary<IsNan, SLAB_ALL>(functions, Operation::is_nan);
    add_unary<IsInfinite, SLAB_ALL>(functions, is_infinite);
    add_unary<IsFinite, SLAB_ALL>(functions, is_finite);
    add_unary<Floor, SLAB_FLOATS>(functions, Operation::floor);
    add_unary<Ceil, SLAB_FLOATS>(functions, Operation::ceil);
    add_unary<Truncate, SLAB_FLOATS>(functions, truncate);
    add_unary<Rint, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::rint);
}

void add_library_functions(BlockFunctions& functions) {
    add_binary<Arctan2, SLAB_FLOATS>(functions, arctan2);
    add_binary<Hypot, SLAB_FLOATS>(functions, Operation::hypot);
    add_unary<SquareRoot, SLAB_FLOATS, SLAB_COMPLEX>(functions, square_root);
    add_unary<Exp, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::exp);
    add_unary<Expm1, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::expm1);
    add_unary<Log, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::log);
    add_unary<Log2, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::log2);
    add_unary<Log10, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::log10);
    add_unary<Log1p, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::log1p);
    add_unary<Sin, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::sin);
    add_unary<Cos, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::cos);
    add_unary<Tan, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::tan);
    add_unary<Arcsin, SLAB_FLOATS, SLAB_COMPLEX>(functions, arcsin);
    add_unary<Arccos, SLAB_FLOATS, SLAB_COMPLEX>(functions, arccos);
    add_unary<Arctan, SLAB_FLOATS, SLAB_COMPLEX>(functions, arctan);
    add_unary<Sinh, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::sinh);
    add_unary<Cosh, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::cosh);
    add_unary<Tanh, SLAB_FLOATS, SLAB_COMPLEX>(functions, Operation::tanh);
}

}  // namespace

const BlockFunctions& scalar_functions() {
    static const BlockFunctions functions = [] {
        BlockFunctions all;
        add_operators(all);
        add_unary_operators(all);
        add_library_functions(all);
        add_all_casts<SLAB_ALL>(all);
        return all;
    }();
    return functions;
}

const BlockFunctions& simd_functions() {
    // Kept for each choice of instruction sets: tests make several in one process.
    static std::mutex mutex;
    static std::map<std::int64_t, BlockFunctions> of_targets;
    const std::scoped_lock lock(mutex);
    const auto [found, is_new] = of_targets.try_emplace(hwy::SupportedTargets(), scalar_functions());
    if (is_new) {
        add_element_operations(found->second);
        add_square_root(found->second);
        add_exponentials(found->second);
        add_trigonometry(found->second);
    }
    return found->second;
}

}  // namespace slab::kernels::expression
