// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_WEIGHTS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_WEIGHTS
#undef SLAB_KERNELS_SPLINE_WEIGHTS
#else
#define SLAB_KERNELS_SPLINE_WEIGHTS
#endif

#include "daemon/kernels/interpolation/spline.hpp"

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// spline_taps() for a vector of coordinates in double. Each tap lies on one piece of the B-spline whatever the
// coordinate, so that there is nothing to choose.
template <int order, class D, class V = hn::Vec<D>>
class SplineWeights {
  public:
    HWY_INLINE SplineWeights(D d, V coordinate) : d_(d) {
        const V middle = hn::Floor(order % 2 == 1 ? coordinate : hn::Add(coordinate, c(0.5)));
        f_ = hn::Sub(coordinate, middle);
        first_ = hn::Sub(middle, c(static_cast<double>(order / 2)));
    }

    HWY_INLINE V first() const { return first_; }  // whole numbers

    // Calls visit(tap, weights) for each of the order + 1 taps.
    template <class Visit>
    HWY_INLINE void for_each(const Visit& visit) const {
        V rest = c(1.0);
        for (int tap = 0; tap < order; ++tap) {
            const V weight = piece(tap);
            rest = hn::Sub(rest, weight);
            visit(tap, weight);
        }
        visit(order, rest);
    }

  private:
    HWY_INLINE V c(double value) const { return hn::Set(d_, value); }

    HWY_INLINE V piece(int tap) const {
        const V one = c(1.0);
        switch (8 * order + tap) {
        case 8 * 1: return hn::Sub(one, f_);
        case 8 * 2: return hn::Mul(c(0.5), power(hn::Sub(c(0.5), f_), 2));
        case 8 * 2 + 1: return hn::Sub(c(0.75), hn::Mul(f_, f_));
        case 8 * 3: return hn::Mul(c(1.0 / 6.0), power(hn::Sub(one, f_), 3));
        case 8 * 3 + 1: return cubic(f_);
        case 8 * 3 + 2: return cubic(hn::Sub(one, f_));
        case 8 * 4: return hn::Mul(c(1.0 / 24.0), power(hn::Sub(c(0.5), f_), 4));
        case 8 * 4 + 1: return quartic_side(hn::Add(one, f_));
        case 8 * 4 + 2: {
            const V t = hn::Mul(f_, f_);
            return hn::Add(hn::Mul(t, hn::Sub(hn::Mul(t, c(0.25)), c(0.625))), c(115.0 / 192.0));
        }
        case 8 * 4 + 3: return quartic_side(hn::Sub(one, f_));
        case 8 * 5: return hn::Mul(c(1.0 / 120.0), power(hn::Sub(one, f_), 5));
        case 8 * 5 + 1: return quintic_side(hn::Add(one, f_));
        case 8 * 5 + 2: return quintic_middle(f_);
        case 8 * 5 + 3: return quintic_middle(hn::Sub(one, f_));
        default: return quintic_side(hn::Sub(c(2.0), f_));
        }
    }

    static HWY_INLINE V power(V base, int exponent) {
        V product = base;
        for (int i = 1; i < exponent; ++i) {
            product = hn::Mul(product, base);
        }
        return product;
    }

    // value * x + constant, in two roundings at every instruction set.
    HWY_INLINE V step(V value, V x, double constant) const { return hn::Add(hn::Mul(value, x), c(constant)); }

    HWY_INLINE V cubic(V x) const {
        const V inner = hn::Mul(hn::Mul(x, x), hn::Sub(x, c(2.0)));
        return hn::Mul(c(1.0 / 6.0), step(inner, c(3.0), 4.0));
    }
    HWY_INLINE V quartic_side(V x) const {
        V sum = hn::Mul(hn::Mul(x, hn::Sub(c(5.0), x)), c(1.0 / 6.0));
        sum = hn::Sub(sum, c(1.25));
        return step(step(sum, x, 5.0 / 24.0), x, 55.0 / 96.0);
    }
    HWY_INLINE V quintic_middle(V x) const {
        const V t = hn::Mul(x, x);
        const V sum = hn::Sub(hn::Mul(t, hn::Sub(c(0.25), hn::Mul(x, c(1.0 / 12.0)))), c(0.5));
        return step(t, sum, 0.55);
    }
    HWY_INLINE V quintic_side(V x) const {
        V sum = hn::Sub(hn::Mul(x, c(1.0 / 24.0)), c(0.375));
        sum = step(sum, x, 1.25);
        sum = step(sum, x, -1.75);
        sum = step(sum, x, 0.625);
        return step(sum, x, 0.425);
    }

    D d_;
    V f_;
    V first_;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
