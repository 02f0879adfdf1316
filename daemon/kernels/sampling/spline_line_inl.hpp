// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_LINE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_LINE
#undef SLAB_KERNELS_SPLINE_LINE
#else
#define SLAB_KERNELS_SPLINE_LINE
#endif

#include "daemon/kernels/sampling/element_sums_inl.hpp"
#include "daemon/kernels/sampling/line_lanes_inl.hpp"
#include "daemon/kernels/sampling/sampled_plane.hpp"
#include "daemon/kernels/sampling/shared_rows_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// Elements of one line of the output, as many at once as a vector has lanes. An element's value is
//   sum over j of x_j * (sum over the taps z, y, slowest first, of (z_weight * y_weight) * tap[z][y][j]),
// whichever way its taps are fetched: in rows that neighbours share, by itself, or copied to a block. So the bits do not
// depend on the way, which is chosen by what the vector's elements happen to have in common.
template <typename T, int taps>
class SplineLine {
    using Lanes = LineLanes<T, taps>;
    using V = typename Lanes::V;
    static constexpr typename Lanes::D d{};

  public:
    // Writes up to `overhang` elements beyond the last.
    static constexpr std::int64_t overhang = Lanes::most_lanes;

    SplineLine(const SampledPlane<T>& plane, const LineCoordinates& line)
        : plane_(plane), shared_rows_(plane, line), element_sums_(plane, line) {}

    // Elements [x.begin, x.end), all of whose taps exist.
    void sample_inside(AxisRange x, T* HWY_RESTRICT row) {
        for (std::int64_t begin = x.begin; begin < x.end; begin += Lanes::lanes(), row += Lanes::lanes()) {
            if (!plane_.has_working_type) {
                sample_blocks({begin, std::min(begin + Lanes::lanes(), x.end)}, row);
                continue;
            }
            V sums[taps];
            V x_weights[taps];
            const std::int64_t last = x.end - 1;
            if (!shared_rows_.sum(begin, last, element_sums_.instructions(), sums, x_weights)) {
                element_sums_.sum_inside(begin, last, sums, x_weights);
            }
            hn::StoreU(combined(sums, x_weights), d, row);
        }
    }

    // Elements [x.begin, x.end), anywhere.
    void sample_anywhere(AxisRange x, T* HWY_RESTRICT row) {
        for (std::int64_t begin = x.begin; begin < x.end; begin += Lanes::lanes(), row += Lanes::lanes()) {
            sample_blocks({begin, std::min(begin + Lanes::lanes(), x.end)}, row);
        }
    }

  private:
    HWY_NOINLINE void sample_blocks(AxisRange x, T* HWY_RESTRICT row) {
        bool is_outside[Lanes::most_lanes] = {};
        V sums[taps];
        V x_weights[taps];
        element_sums_.sum_blocks(x, is_outside, sums, x_weights);
        hn::StoreU(combined(sums, x_weights), d, row);
        for (std::int64_t lane = 0; lane < x.end - x.begin; ++lane) {
            if (is_outside[lane]) {
                row[lane] = plane_.cval;
            }
        }
    }

    static HWY_INLINE V combined(const V* HWY_RESTRICT sums, const V* HWY_RESTRICT x_weights) {
        if constexpr (taps == 2) {
            // A tap of weight 0 is not there: what it holds may not be a number.
            const auto zero = hn::Zero(d);
            const V sum = hn::IfThenElseZero(hn::Ne(x_weights[0], zero), hn::Mul(sums[0], x_weights[0]));
            return hn::IfThenElse(hn::Ne(x_weights[1], zero), hn::MulAdd(sums[1], x_weights[1], sum), sum);
        }
        V sum = hn::Mul(sums[0], x_weights[0]);
        for (int j = 1; j < taps; ++j) {
            sum = hn::MulAdd(sums[j], x_weights[j], sum);
        }
        return sum;
    }

    const SampledPlane<T>& plane_;
    SharedRows<T, taps> shared_rows_;
    ElementSums<T, taps> element_sums_;
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
