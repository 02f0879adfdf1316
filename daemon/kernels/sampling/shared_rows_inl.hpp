// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SHARED_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SHARED_ROWS
#undef SLAB_KERNELS_SHARED_ROWS
#else
#define SLAB_KERNELS_SHARED_ROWS
#endif

#include "daemon/kernels/interpolation/spline_weights_inl.hpp"
#include "daemon/kernels/sampling/line_lanes_inl.hpp"
#include "daemon/kernels/sampling/sampled_plane.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// The sums of a vector of elements from rows of taps that they share: where they lie close together.
template <typename T, int taps>
class SharedRows {
    using Lanes = LineLanes<T, taps>;
    using D = typename Lanes::D;
    using V = typename Lanes::V;
    using DD = typename Lanes::DD;
    static constexpr D d{};
    static constexpr DD dd{};
    using Mask = hn::Mask<D>;
    static constexpr std::size_t double_vectors = sizeof(double) / sizeof(T);
    static constexpr std::int64_t most_span =
        6;  // of rows that lanes share, beyond those that one lane reads

  public:
    SharedRows(const SampledPlane<T>& plane, const LineCoordinates& line) : plane_(plane), line_(line) {}

    // All lanes at once, from each row of taps that any of them reads: a load and a permutation of each tap serve all.
    // False where the lanes have too little in common: that would take more than `most_instructions`, about.
    bool sum(std::int64_t begin, std::int64_t last, std::int64_t most_instructions, V* HWY_RESTRICT sums,
             V* HWY_RESTRICT x_weights) const {
        const std::int64_t n = Lanes::lanes();
        const std::int64_t end = std::min(begin + n - 1, last);
        hn::Vec<DD> x[double_vectors];
#pragma GCC unroll 2
        for (std::size_t i = 0; i < double_vectors; ++i) {
            const auto lane = begin + static_cast<std::int64_t>(i * hn::Lanes(dd));
            x[i] = hn::Min(hn::Iota(dd, static_cast<double>(lane)), hn::Set(dd, static_cast<double>(end)));
        }
        const Places along_x = places_along(2, x, begin, end);
        if (along_x.span >= n) {
            return false;
        }
        std::int64_t offset = along_x.first;
        std::int64_t z_rows = 1;
        std::int64_t y_rows = 1;
        Places along_z;
        Places along_y;
        if (plane_.grid.is_sampled[1]) {
            along_y = places_along(1, x, begin, end);
            y_rows = taps + along_y.span;
            offset += along_y.first * plane_.grid.pitches[1];
        }
        if (plane_.grid.is_sampled[0]) {
            along_z = places_along(0, x, begin, end);
            z_rows = taps + along_z.span;
            offset += along_z.first * plane_.grid.pitches[0];
        }
        const std::int64_t z_pitch = plane_.grid.pitches[0];
        const std::int64_t y_pitch = plane_.grid.pitches[1];
        const std::int64_t instructions = z_rows * y_rows * (2 * taps + 2);
        const std::int64_t reach = (z_rows - 1) * z_pitch + (y_rows - 1) * y_pitch + taps - 1 + n;
        if (std::max(y_rows, z_rows) > taps + most_span || instructions > most_instructions ||
            offset + reach > plane_.elements) {
            return false;
        }
        RowWeights z_weights;
        RowWeights y_weights;
        z_weights.weight[0] = y_weights.weight[0] = hn::Set(d, T(1));
        z_weights.reads[0] = y_weights.reads[0] = hn::Eq(along_x.rest, along_x.rest);
        if (plane_.grid.is_sampled[1]) {
            spread_weights(along_y, y_weights);
        }
        if (plane_.grid.is_sampled[0]) {
            spread_weights(along_z, z_weights);
        }
        spline_weights<taps>(d, along_x.rest, x_weights);
        const hn::RebindToSigned<D> di;
        const auto order_in_row = hn::IndicesFromVec(d, hn::ConvertTo(di, along_x.after));
        V kept[taps];
#pragma GCC unroll 6
        for (int j = 0; j < taps; ++j) {
            kept[j] = hn::Zero(d);
        }
        const T* plane = plane_.samples() + offset;
        for (std::int64_t z = 0; z < z_rows; ++z, plane += z_pitch) {
            const T* row = plane;
            for (std::int64_t y = 0; y < y_rows; ++y, row += y_pitch) {
                const V weight = hn::Mul(z_weights.weight[z], y_weights.weight[y]);
                Mask reads = hn::And(z_weights.reads[z], y_weights.reads[y]);
                if constexpr (taps == 2) {
                    reads = hn::And(reads, hn::Ne(weight, hn::Zero(d)));
                }
#pragma GCC unroll 6
                for (int j = 0; j < taps; ++j) {
                    const V tap = hn::TableLookupLanes(hn::LoadU(d, row + j), order_in_row);
                    kept[j] = hn::IfThenElse(reads, hn::MulAdd(tap, weight, kept[j]), kept[j]);
                }
            }
        }
#pragma GCC unroll 6
        for (int j = 0; j < taps; ++j) {
            sums[j] = kept[j];
        }
        return true;
    }

  private:
    // What the lanes have in common along one axis.
    struct Places {
        std::int64_t first = 0;  // the smallest of their first taps
        std::int64_t span = 0;   // how far the others' lie behind it
        V after;                 // each lane's
        V rest;
    };

    HWY_INLINE Places places_along(std::size_t axis, const hn::Vec<DD>* HWY_RESTRICT x, std::int64_t begin,
                                   std::int64_t end) const {
        const double last_middle = Lanes::last_middle(plane_.grid, axis);
        const double one_end = Lanes::middle_of(line_.at(axis, begin), last_middle);
        const double other_end = Lanes::middle_of(line_.at(axis, end), last_middle);
        const double least = std::min(one_end, other_end);
        Places places;
        places.first = static_cast<std::int64_t>(least) + Lanes::to_first(plane_.grid);
        places.span = static_cast<std::int64_t>(std::max(one_end, other_end) - least);
        const auto base = hn::Set(dd, line_.base[axis]);
        const auto step = hn::Set(dd, line_.step[axis]);
        const auto offset = hn::Set(dd, line_.offset[axis]);
        hn::Vec<DD> after[double_vectors];
        hn::Vec<DD> rest[double_vectors];
#pragma GCC unroll 2
        for (std::size_t i = 0; i < double_vectors; ++i) {
            const auto coordinate = hn::Add(hn::Add(base, hn::Mul(step, x[i])), offset);
            const auto middle = Lanes::middles_of(coordinate, last_middle);
            rest[i] = hn::Sub(coordinate, middle);
            after[i] = hn::Sub(middle, hn::Set(dd, least));
        }
        places.rest = narrowed(rest);
        places.after = places.span == 0 ? hn::Zero(d) : narrowed(after);
        return places;
    }

    static HWY_INLINE V narrowed(const hn::Vec<DD>* HWY_RESTRICT wide) {
        if constexpr (double_vectors == 1) {
            return wide[0];
        } else {
            const hn::Rebind<float, DD> half;
            return hn::Combine(d, hn::DemoteTo(half, wide[1]), hn::DemoteTo(half, wide[0]));
        }
    }

    // Of each row that any lane reads along y or z: its weight in each lane, and the lanes that read it.
    struct RowWeights {
        V weight[taps + most_span];
        Mask reads[taps + most_span];
    };

    HWY_INLINE void spread_weights(const Places& places, RowWeights& rows) const {
        V weights[taps];
        spline_weights<taps>(d, places.rest, weights);
        const Mask all = hn::Eq(places.rest, places.rest);
        if (places.span == 0) {
#pragma GCC unroll 6
            for (int row = 0; row < taps; ++row) {
                rows.weight[row] = weights[row];
                rows.reads[row] = all;
            }
            return;
        }
        if (places.span == 1) {
            const Mask near = hn::Eq(places.after, hn::Zero(d));
            rows.weight[0] = weights[0];
            rows.reads[0] = near;
#pragma GCC unroll 6
            for (int row = 1; row < taps; ++row) {
                rows.weight[row] = hn::IfThenElse(near, weights[row], weights[row - 1]);
                rows.reads[row] = all;
            }
            rows.weight[taps] = weights[taps - 1];
            rows.reads[taps] = hn::Not(near);
            return;
        }
        for (std::int64_t row = 0; row < taps + places.span; ++row) {
            rows.weight[row] = hn::Zero(d);
            rows.reads[row] = hn::Ne(places.rest, places.rest);
#pragma GCC unroll 6
            for (int tap = 0; tap < taps; ++tap) {
                const Mask is_here = hn::Eq(places.after, hn::Set(d, static_cast<T>(row - tap)));
                rows.weight[row] = hn::IfThenElse(is_here, weights[tap], rows.weight[row]);
                rows.reads[row] = hn::Or(rows.reads[row], is_here);
            }
        }
    }

    const SampledPlane<T>& plane_;
    const LineCoordinates& line_;
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
