#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/expression/square_root_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::expression {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3 && HWY_TARGET != HWY_SCALAR

// The divider takes 18 cycles for 8 square roots of double (Emerald Rapids: 1.06 ns each, longer than memory takes to
// bring them). Instead an estimate of 14 bits, refined by fused multiply-adds (P. Markstein, IA-64 and Elementary
// Functions, 2000, chapter 9), and then checked: g is the square root of x rounded to nearest if and only if
// g (g - ulp) < x <= g (g + ulp) (B. Tuckerman; see P. Markstein, Computation of elementary functions on the IBM RISC
// System/6000, 1990, theorem). The signs of the fused differences are exact, so a result that passes is the divider's, bit
// for bit; vectors where one does not pass, or is not far from the ends of the exponents, go to the divider.
template <class V>
struct CheckedRoots {
    V root;
    hn::Mask<hn::DFromV<V>> is_right;
};

template <class D, class V>
HWY_INLINE CheckedRoots<V> refined_roots(D d, V x) {
    const auto half = hn::Set(d, 0.5);
    const auto is_far_from_ends = hn::And(hn::Ge(x, hn::Set(d, 0x1p-700)), hn::Le(x, hn::Set(d, 0x1p700)));
    const V estimate{_mm512_rsqrt14_pd(x.raw)};
    const V g0 = hn::Mul(x, estimate);
    const V h0 = hn::Mul(half, estimate);
    const V r0 = hn::NegMulAdd(h0, g0, half);
    const V g1 = hn::MulAdd(g0, r0, g0);
    const V h1 = hn::MulAdd(h0, r0, h0);
    const V g2 = hn::MulAdd(hn::NegMulAdd(g1, g1, x), h1, g1);
    const V g = hn::MulAdd(hn::NegMulAdd(g2, g2, x), h1, g2);
    const hn::RebindToSigned<D> di;
    const auto bits = hn::BitCast(di, g);
    const auto one = hn::Set(di, 1);
    const V below = hn::BitCast(d, hn::Sub(bits, one));
    const V above = hn::BitCast(d, hn::Add(bits, one));
    const auto zero = hn::Zero(d);
    const auto is_not_above = hn::Gt(hn::NegMulAdd(g, below, x), zero);
    const auto is_not_below = hn::Le(hn::NegMulAdd(g, above, x), zero);
    return {g, hn::And(is_far_from_ends, hn::And(is_not_above, is_not_below))};
}

void square_root_loop(std::byte* to, const std::byte* const* from, std::int64_t count) {
    const hn::ScalableTag<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto* const x = reinterpret_cast<const double*>(from[0]);
    auto* const y = reinterpret_cast<double*>(to);
    std::int64_t i = 0;
    // The divider works beside the multipliers: it gets a third.
    for (; i + 3 * lanes <= count; i += 3 * lanes) {
        for (int vector = 0; vector < 3; ++vector) {
            hwy::Prefetch(reinterpret_cast<const std::byte*>(x + i + vector * lanes) + slow_loop_ahead_bytes);
        }
        const auto x0 = hn::LoadU(d, x + i);
        const auto x1 = hn::LoadU(d, x + i + lanes);
        hn::StoreU(hn::Sqrt(hn::LoadU(d, x + i + 2 * lanes)), d, y + i + 2 * lanes);
        auto [root0, is_right0] = refined_roots(d, x0);
        auto [root1, is_right1] = refined_roots(d, x1);
        if (HWY_UNLIKELY(!hn::AllTrue(d, hn::And(is_right0, is_right1)))) {
            root0 = hn::Sqrt(x0);
            root1 = hn::Sqrt(x1);
        }
        hn::StoreU(root0, d, y + i);
        hn::StoreU(root1, d, y + i + lanes);
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
