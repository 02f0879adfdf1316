#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/square_root_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::expression {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3 && HWY_TARGET != HWY_SCALAR

// The divider takes 18 to 24 cycles for 8 square roots of double, longer than memory takes to bring them. Instead an estimate
// of 14 bits, refined by fused multiply-adds (P. Markstein, IA-64 and Elementary Functions, 2000, chapter 9). The last step
// is made twice, with a slope (1 / 2 sqrt x) that is 2^-22 too small and one that is 2^-22 too large; the estimate's own
// error is 2^-27 by then. The root lies between the two, so where both round to the same number that is the divider's, bit
// for bit. Vectors where they do not, or where an element is not far from the ends of the exponents, go to the divider, but
// for zeros: they are often many, and come out right.
//
// Two vectors, step by step beside each other: one after the other they are more than a processor looks ahead.
using Doubles = hn::ScalableTag<double>;
using Vector = hn::Vec<Doubles>;

struct TwoRoots {
    Vector root[2];
    hn::Mask<Doubles> is_right[2];
};

HWY_INLINE TwoRoots refined_roots(Vector x0, Vector x1) {
    const Doubles d;
    const hn::RebindToUnsigned<Doubles> bits;
    const auto least = hn::Set(bits, std::bit_cast<std::uint64_t>(0x1p-700));
    const auto range =
        hn::Set(bits, std::bit_cast<std::uint64_t>(0x1p700) - std::bit_cast<std::uint64_t>(0x1p-700));
    const auto half = hn::Set(d, 0.5);
    const auto less = hn::Set(d, 1 - 0x1p-22);
    const auto more = hn::Set(d, 1 + 0x1p-22);
    const Vector x[2] = {x0, x1};
    Vector inverse[2];
    Vector slope[2];
    Vector error[2];
    Vector other[2];
    TwoRoots two;
    auto& [root, is_right] = two;
#define SLAB_OF_BOTH(step)                                                                                   \
    for (int k = 0; k < 2; ++k) {                                                                            \
        step;                                                                                                \
    }
    // Negative ones, NaN and infinity are beyond.
    SLAB_OF_BOTH(is_right[k] = hn::RebindMask(d, hn::Lt(hn::Sub(hn::BitCast(bits, x[k]), least), range)))
    SLAB_OF_BOTH(inverse[k] = Vector{_mm512_maskz_rsqrt14_pd(is_right[k].raw, x[k].raw)})
    SLAB_OF_BOTH(root[k] = hn::Mul(x[k], inverse[k]))
    SLAB_OF_BOTH(slope[k] = hn::Mul(half, inverse[k]))
    SLAB_OF_BOTH(error[k] = hn::NegMulAdd(slope[k], root[k], half))
    SLAB_OF_BOTH(root[k] = hn::MulAdd(root[k], error[k], root[k]))
    SLAB_OF_BOTH(slope[k] = hn::MulAdd(slope[k], error[k], slope[k]))
    SLAB_OF_BOTH(error[k] = hn::NegMulAdd(root[k], root[k], x[k]))
    SLAB_OF_BOTH(root[k] = hn::MulAdd(error[k], slope[k], root[k]))
    SLAB_OF_BOTH(error[k] = hn::NegMulAdd(root[k], root[k], x[k]))
    SLAB_OF_BOTH(other[k] = hn::MulAdd(error[k], hn::Mul(slope[k], more), root[k]))
    SLAB_OF_BOTH(root[k] = hn::MulAdd(error[k], hn::Mul(slope[k], less), root[k]))
    SLAB_OF_BOTH(is_right[k] = hn::And(is_right[k], hn::Eq(root[k], other[k])))
#undef SLAB_OF_BOTH
    return two;
}

void square_root_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const hn::ScalableTag<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto* const x = reinterpret_cast<const double*>(from[0]);
    auto* const y = reinterpret_cast<double*>(to);
    const auto zero = hn::Zero(d);
    std::int64_t i = 0;
    // The divider works beside the multipliers: it gets a third.
    for (; i + 3 * lanes <= count; i += 3 * lanes) {
        for (int vector = 0; vector < 3; ++vector) {
            hwy::Prefetch(reinterpret_cast<const std::byte*>(x + i + vector * lanes) + slow_loop_ahead_bytes);
        }
        const auto x0 = hn::LoadU(d, x + i);
        const auto x1 = hn::LoadU(d, x + i + lanes);
        hn::StoreU(hn::Sqrt(hn::LoadU(d, x + i + 2 * lanes)), d, y + i + 2 * lanes);
        auto [root, is_right] = refined_roots(x0, x1);
        if (HWY_UNLIKELY(!hn::AllTrue(d, hn::And(is_right[0], is_right[1]))) &&
            !hn::AllTrue(
                d, hn::And(hn::Or(is_right[0], hn::Eq(x0, zero)), hn::Or(is_right[1], hn::Eq(x1, zero))))) {
            root[0] = hn::Sqrt(x0);
            root[1] = hn::Sqrt(x1);
        }
        hn::StoreU(root[0], d, y + i);
        hn::StoreU(root[1], d, y + i + lanes);
    }
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(hn::Sqrt(hn::LoadU(d, x + i)), d, y + i);
    }
    for (; i < count; ++i) {
        double value = 0;
        std::memcpy(&value, x + i, sizeof(value));
        value = std::sqrt(value);
        std::memcpy(y + i, &value, sizeof(value));
    }
}

void add_square_root_here(BlockFunctions& functions) {
    functions.of(Operation::square_root, DType::float64) = square_root_loop;
}

#else

void add_square_root_here(BlockFunctions&) {}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::expression
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::expression {

HWY_EXPORT(add_square_root_here);

void add_square_root(BlockFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(add_square_root_here)(functions);
}

}  // namespace slab::kernels::expression
#endif
