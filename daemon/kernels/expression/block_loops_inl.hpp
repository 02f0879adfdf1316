// Compiled once per instruction set, and once more for the definition: no ordinary guard (see hwy/foreach_target.h).
// SLAB_BLOCK_LOOPS names the namespace. The compiler makes vectors of these loops, each for its instruction set.
#if defined(SLAB_EXPRESSION_BLOCK_LOOPS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_EXPRESSION_BLOCK_LOOPS
#undef SLAB_EXPRESSION_BLOCK_LOOPS
#else
#define SLAB_EXPRESSION_BLOCK_LOOPS
#endif

namespace slab::kernels::expression {
namespace SLAB_BLOCK_LOOPS {

template <class Op, typename T>
void unary_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const std::byte* const x = from[0];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        set_element(to, i, Op::apply(element_at<T>(x, i)));
    }
}

template <class Op, typename T>
void binary_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const std::byte* const x = from[0];
    const std::byte* const y = from[1];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        set_element(to, i, Op::apply(element_at<T>(x, i), element_at<T>(y, i)));
    }
}

template <typename From, typename To>
void cast_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const std::byte* const x = from[0];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        set_element(to, i, Cast::apply<To>(element_at<From>(x, i)));
    }
}

template <typename T>
void choose_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const std::byte* const condition = from[0];
    const std::byte* const x = from[1];
    const std::byte* const y = from[2];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        const T when_true = element_at<T>(x, i);
        const T when_false = element_at<T>(y, i);
        set_element(to, i, element_at<bool>(condition, i) ? when_true : when_false);
    }
}

template <class Op, typename... T>
void add_unary(BlockFunctions& functions, Operation operation) {
    ((functions.of(operation, dtype_of<T>()) = unary_loop<Op, T>), ...);
}

template <class Op, typename... T>
void add_binary(BlockFunctions& functions, Operation operation) {
    ((functions.of(operation, dtype_of<T>()) = binary_loop<Op, T>), ...);
}

template <typename From, typename... To>
void add_casts_from(BlockFunctions& functions) {
    ((functions.cast(dtype_of<From>(), dtype_of<To>()) = cast_loop<From, To>), ...);
}

}  // namespace SLAB_BLOCK_LOOPS
}  // namespace slab::kernels::expression

#define SLAB_SIGNED std::int8_t, std::int16_t, std::int32_t, std::int64_t
#define SLAB_UNSIGNED std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t
#define SLAB_INTEGERS SLAB_SIGNED, SLAB_UNSIGNED
#define SLAB_FLOATS float, double
#define SLAB_COMPLEX std::complex<float>, std::complex<double>
#define SLAB_ALL bool, SLAB_INTEGERS, SLAB_FLOATS, SLAB_COMPLEX

#endif
