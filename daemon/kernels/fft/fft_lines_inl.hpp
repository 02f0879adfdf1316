// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_FFT_LINES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_FFT_LINES
#undef SLAB_KERNELS_FFT_LINES
#else
#define SLAB_KERNELS_FFT_LINES
#endif

#include "daemon/kernels/fft/fft_program.hpp"

#include <hwy/highway.h>

#include <utility>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Forward transforms of as many lines as a vector has lanes: element i of all lines is two vectors, real and imaginary
// parts. Each lane does what the others do, so a line's result is the same beside any others.
// Stockham's autosort transform (Van Loan 1992, section 1.7): a pass for each factor, from one buffer into the other.
template <class D>
class LineTransform {
  public:
    using T = hn::TFromD<D>;
    using V = hn::Vec<D>;
    struct Complex {
        V re;
        V im;
    };

    LineTransform(D d, std::int64_t length, const T* roots)
        : d_(d), lanes_(static_cast<std::int64_t>(hn::Lanes(d))), length_(length), roots_(roots) {
        factorize(length, factors_);
    }

    HWY_INLINE Complex load(const T* buffer, std::int64_t i) const {
        const T* const at = buffer + 2 * i * lanes_;
        return {hn::Load(d_, at), hn::Load(d_, at + lanes_)};
    }
    HWY_INLINE void store(const Complex& value, T* buffer, std::int64_t i) const {
        T* const at = buffer + 2 * i * lanes_;
        hn::Store(value.re, d_, at);
        hn::Store(value.im, d_, at + lanes_);
    }
    HWY_INLINE Complex constant(const T* pair) const { return {hn::Set(d_, pair[0]), hn::Set(d_, pair[1])}; }

    static HWY_INLINE Complex sum(const Complex& a, const Complex& b) {
        return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
    }
    static HWY_INLINE Complex difference(const Complex& a, const Complex& b) {
        return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
    }
    static HWY_INLINE Complex product(const Complex& a, const Complex& b) {
        return {hn::NegMulAdd(a.im, b.im, hn::Mul(a.re, b.re)), hn::MulAdd(a.im, b.re, hn::Mul(a.re, b.im))};
    }
    static HWY_INLINE Complex conjugate(const Complex& a) { return {a.re, hn::Neg(a.im)}; }
    static HWY_INLINE Complex swapped(const Complex& a) { return {a.im, a.re}; }
    // a - i b and a + i b
    static HWY_INLINE Complex turned_back(const Complex& a, const Complex& b) {
        return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)};
    }
    static HWY_INLINE Complex turned(const Complex& a, const Complex& b) {
        return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)};
    }

    // From `buffer`, with `other` as room; where the result is, one of the two.
    HWY_INLINE T* run(T* buffer, T* other) const {
        std::int64_t n = length_;
        std::int64_t s = 1;
        for (std::size_t i = 0; i < factors_.count; ++i) {
            const auto factor = static_cast<std::int64_t>(factors_.factor[i]);
            switch (factor) {
            case 2: pass_2(n / 2, s, buffer, other); break;
            case 3: pass_3(n / 3, s, buffer, other); break;
            case 4: pass_4(n / 4, s, buffer, other); break;
            case 5: pass_5(n / 5, s, buffer, other); break;
            default: pass_prime(factor, n / factor, s, buffer, other);
            }
            std::swap(buffer, other);
            n /= factor;
            s *= factor;
        }
        return buffer;
    }

  private:
    HWY_INLINE Complex root(std::int64_t i) const { return constant(roots_ + 2 * i); }
    HWY_INLINE Complex scaled(const Complex& a, T factor) const {
        const V f = hn::Set(d_, factor);
        return {hn::Mul(a.re, f), hn::Mul(a.im, f)};
    }

    void pass_2(std::int64_t m, std::int64_t s, const T* x, T* y) const {
        for (std::int64_t p = 0; p < m; ++p) {
            const Complex w = root(p * s);
            for (std::int64_t q = s * p; q < s * (p + 1); ++q) {
                const Complex a = load(x, q);
                const Complex b = load(x, q + s * m);
                const std::int64_t to = q + s * p;
                store(sum(a, b), y, to);
                store(product(difference(a, b), w), y, to + s);
            }
        }
    }

    void pass_3(std::int64_t m, std::int64_t s, const T* x, T* y) const {
        constexpr auto half = static_cast<T>(-0.5);
        constexpr auto sine = static_cast<T>(0.86602540378443864676);
        for (std::int64_t p = 0; p < m; ++p) {
            const Complex w1 = root(p * s);
            const Complex w2 = root(2 * p * s);
            for (std::int64_t q = s * p; q < s * (p + 1); ++q) {
                const Complex a = load(x, q);
                const Complex b = load(x, q + s * m);
                const Complex c = load(x, q + 2 * s * m);
                const Complex both = sum(b, c);
                const Complex middle = sum(a, scaled(both, half));
                const Complex side = scaled(difference(b, c), sine);
                const std::int64_t to = q + 2 * s * p;
                store(sum(a, both), y, to);
                store(product(turned_back(middle, side), w1), y, to + s);
                store(product(turned(middle, side), w2), y, to + 2 * s);
            }
        }
    }

    void pass_4(std::int64_t m, std::int64_t s, const T* x, T* y) const {
        for (std::int64_t p = 0; p < m; ++p) {
            const Complex w1 = root(p * s);
            const Complex w2 = root(2 * p * s);
            const Complex w3 = root(3 * p * s);
            for (std::int64_t q = s * p; q < s * (p + 1); ++q) {
                const Complex a = load(x, q);
                const Complex b = load(x, q + s * m);
                const Complex c = load(x, q + 2 * s * m);
                const Complex e = load(x, q + 3 * s * m);
                const Complex even = sum(a, c);
                const Complex odd = sum(b, e);
                const Complex even_rest = difference(a, c);
                const Complex odd_rest = difference(b, e);
                const std::int64_t to = q + 3 * s * p;
                store(sum(even, odd), y, to);
                store(product(turned_back(even_rest, odd_rest), w1), y, to + s);
                store(product(difference(even, odd), w2), y, to + 2 * s);
                store(product(turned(even_rest, odd_rest), w3), y, to + 3 * s);
            }
        }
    }

    void pass_5(std::int64_t m, std::int64_t s, const T* x, T* y) const {
        constexpr auto c1 = static_cast<T>(0.30901699437494742410);
        constexpr auto c2 = static_cast<T>(-0.80901699437494742410);
        constexpr auto s1 = static_cast<T>(0.95105651629515357212);
        constexpr auto s2 = static_cast<T>(0.58778525229247312917);
        for (std::int64_t p = 0; p < m; ++p) {
            const Complex w1 = root(p * s);
            const Complex w2 = root(2 * p * s);
            const Complex w3 = root(3 * p * s);
            const Complex w4 = root(4 * p * s);
            for (std::int64_t q = s * p; q < s * (p + 1); ++q) {
                const Complex a = load(x, q);
                const Complex b = load(x, q + s * m);
                const Complex c = load(x, q + 2 * s * m);
                const Complex e = load(x, q + 3 * s * m);
                const Complex f = load(x, q + 4 * s * m);
                const Complex outer = sum(b, f);
                const Complex inner = sum(c, e);
                const Complex outer_rest = difference(b, f);
                const Complex inner_rest = difference(c, e);
                const Complex near = sum(a, sum(scaled(outer, c1), scaled(inner, c2)));
                const Complex far = sum(a, sum(scaled(outer, c2), scaled(inner, c1)));
                const Complex near_side = sum(scaled(outer_rest, s1), scaled(inner_rest, s2));
                const Complex far_side = difference(scaled(outer_rest, s2), scaled(inner_rest, s1));
                const std::int64_t to = q + 4 * s * p;
                store(sum(a, sum(outer, inner)), y, to);
                store(product(turned_back(near, near_side), w1), y, to + s);
                store(product(turned_back(far, far_side), w2), y, to + 2 * s);
                store(product(turned(far, far_side), w3), y, to + 3 * s);
                store(product(turned(near, near_side), w4), y, to + 4 * s);
            }
        }
    }

    // Any other prime: its sums as they are written.
    void pass_prime(std::int64_t prime, std::int64_t m, std::int64_t s, const T* x, T* y) const {
        const std::int64_t step = length_ / prime;
        for (std::int64_t p = 0; p < m; ++p) {
            for (std::int64_t q = s * p; q < s * (p + 1); ++q) {
                for (std::int64_t k = 0; k < prime; ++k) {
                    Complex value = load(x, q);
                    for (std::int64_t r = 1; r < prime; ++r) {
                        value = sum(value, product(load(x, q + r * s * m), root(r * k % prime * step)));
                    }
                    store(product(value, root(k * p * s)), y, q + (prime - 1) * s * p + k * s);
                }
            }
        }
    }

    D d_;
    std::int64_t lanes_;
    std::int64_t length_;
    const T* roots_;
    FftFactors factors_;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
