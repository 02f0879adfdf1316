// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_WEIGHTS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_WEIGHTS
#undef SLAB_KERNELS_SPLINE_WEIGHTS
#else
#define SLAB_KERNELS_SPLINE_WEIGHTS
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The weights of the `taps` taps of a B-spline, from the rest of the coordinate: what spline_taps() subtracts its middle
// from. Each tap lies on one piece of the spline whatever the coordinate, so that there is nothing to choose; each is a
// difference of few powers that are not much larger than the result, so that float keeps its digits.
template <int taps, class D, class V = hn::Vec<D>>
HWY_INLINE void spline_weights(D d, V rest, V* HWY_RESTRICT weights) {
    using T = hn::TFromD<D>;
    const auto number = [d](double value) HWY_ATTR { return hn::Set(d, static_cast<T>(value)); };
    const auto square = [](V v) HWY_ATTR { return hn::Mul(v, v); };
    const V one = number(1.0);
    if constexpr (taps == 1) {
        weights[0] = one;
    } else if constexpr (taps == 2) {
        weights[0] = hn::Sub(one, rest);
        weights[1] = rest;
    } else if constexpr (taps == 3) {
        const V half = number(0.5);
        weights[0] = hn::Mul(half, square(hn::Sub(half, rest)));
        weights[1] = hn::Sub(number(0.75), square(rest));
        weights[2] = hn::Mul(half, square(hn::Add(half, rest)));
    } else if constexpr (taps == 4) {
        const V back = hn::Sub(one, rest);
        const V sixth = number(1.0 / 6.0);
        const auto inner = [&](V t) HWY_ATTR {
            return hn::MulAdd(square(t), hn::MulAdd(number(0.5), t, number(-1.0)), number(2.0 / 3.0));
        };
        weights[0] = hn::Mul(sixth, hn::Mul(back, square(back)));
        weights[1] = inner(rest);
        weights[2] = inner(back);
        weights[3] = hn::Mul(sixth, hn::Mul(rest, square(rest)));
    } else if constexpr (taps == 5) {
        const V half = number(0.5);
        const V scale = number(1.0 / 24.0);
        const auto fourth = [&](V t) HWY_ATTR { return square(square(t)); };
        const auto middle = [&](V near, V far) HWY_ATTR {
            return hn::Mul(scale, hn::NegMulAdd(number(5.0), fourth(near), fourth(far)));
        };
        const V left = hn::Sub(half, rest);
        const V right = hn::Add(half, rest);
        weights[0] = hn::Mul(scale, fourth(left));
        weights[1] = middle(left, hn::Add(one, left));
        weights[2] = hn::MulAdd(square(rest), hn::MulAdd(square(rest), number(0.25), number(-0.625)),
                                number(115.0 / 192.0));
        weights[3] = middle(right, hn::Add(one, right));
        weights[4] = hn::Mul(scale, fourth(right));
    } else {
        static_assert(taps == 6);
        const V scale = number(1.0 / 120.0);
        const auto fifth = [&](V t) HWY_ATTR { return hn::Mul(t, square(square(t))); };
        const auto outer = [&](V near) HWY_ATTR {
            return hn::Mul(scale, hn::NegMulAdd(number(6.0), fifth(near), fifth(hn::Add(one, near))));
        };
        const auto inner = [&](V t) HWY_ATTR {
            const V t2 = square(t);
            const V slope = hn::MulAdd(number(-1.0 / 12.0), t, number(0.25));
            return hn::MulAdd(t2, hn::MulAdd(t2, slope, number(-0.5)), number(0.55));
        };
        const V back = hn::Sub(one, rest);
        weights[0] = hn::Mul(scale, fifth(back));
        weights[1] = outer(back);
        weights[2] = inner(rest);
        weights[3] = inner(back);
        weights[4] = outer(rest);
        weights[5] = hn::Mul(scale, fifth(rest));
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
