// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_EXPRESSION_GUARDED_LOOP) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_EXPRESSION_GUARDED_LOOP
#undef SLAB_EXPRESSION_GUARDED_LOOP
#else
#define SLAB_EXPRESSION_GUARDED_LOOP
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::expression {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Function::vector computes x within [Function::low, Function::high]; there it is good to a few units in the last place.
// Elements outside (infinities, NaNs, denormals, large angles) are the definition's. Which one an element gets depends
// on its value alone, never on its place.
template <class Function, typename T>
HWY_NOINLINE void guarded_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto* const x = reinterpret_cast<const T*>(from[0]);
    auto* const y = reinterpret_cast<T*>(to);
    const auto low = hn::Set(d, static_cast<T>(sizeof(T) == 4 ? Function::low32 : Function::low64));
    const auto high = hn::Set(d, static_cast<T>(sizeof(T) == 4 ? Function::high32 : Function::high64));
    constexpr std::size_t most_lanes = 256 / sizeof(T);  // SVE
    alignas(256) T part[most_lanes];
    for (std::int64_t i = 0; i < count; i += lanes) {
        // The last vector goes through memory of its own: nothing is read or written beyond the block.
        const bool is_whole = count - i >= lanes;
        hwy::Prefetch(reinterpret_cast<const std::byte*>(x + i) + slow_loop_ahead_bytes);
        const std::int64_t n = is_whole ? lanes : count - i;
        if (!is_whole) {
            std::fill_n(part, lanes, T(1));
            std::memcpy(part, x + i, static_cast<std::size_t>(n) * sizeof(T));
        }
        const auto v = is_whole ? hn::LoadU(d, x + i) : hn::Load(d, part);
        const auto is_within = hn::And(hn::Ge(v, low), hn::Le(v, high));
        const auto result = Function::vector(d, v);
        if (is_whole) {
            hn::StoreU(result, d, y + i);
        } else {
            hn::Store(result, d, part);
            std::memcpy(y + i, part, static_cast<std::size_t>(n) * sizeof(T));
        }
        if (HWY_LIKELY(hn::AllTrue(d, is_within))) {
            continue;
        }
        for (std::int64_t lane = i; lane < i + n; ++lane) {
            const T element = element_at<T>(from[0], lane);
            const bool is_vectors =
                element >= static_cast<T>(sizeof(T) == 4 ? Function::low32 : Function::low64) &&
                element <= static_cast<T>(sizeof(T) == 4 ? Function::high32 : Function::high64);
            if (!is_vectors) {
                set_element(to, lane, Function::Definition::apply(element));
            }
        }
    }
}

template <class Function>
void add_guarded(BlockFunctions& functions, Operation operation) {
    functions.of(operation, DType::float32) = guarded_loop<Function, float>;
    functions.of(operation, DType::float64) = guarded_loop<Function, double>;
}

#define SLAB_VECTOR_FUNCTION(Name, function, low_32, high_32, low_64, high_64)                               \
    struct Vector##Name {                                                                                    \
        using Definition = Name;                                                                             \
        static constexpr double low32 = low_32;                                                              \
        static constexpr double high32 = high_32;                                                            \
        static constexpr double low64 = low_64;                                                              \
        static constexpr double high64 = high_64;                                                            \
        template <class D, class V>                                                                          \
        static HWY_INLINE V vector(D d, V x) {                                                               \
            return hn::function(d, x);                                                                       \
        }                                                                                                    \
    }

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#endif
