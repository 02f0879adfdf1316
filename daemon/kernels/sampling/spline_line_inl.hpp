// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_LINE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_LINE
#undef SLAB_KERNELS_SPLINE_LINE
#else
#define SLAB_KERNELS_SPLINE_LINE
#endif

#include "daemon/kernels/interpolation/spline_weights_inl.hpp"
#include "daemon/kernels/sampling/element_taps.hpp"
#include "daemon/kernels/sampling/sampled_plane.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
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
    using D = hn::ScalableTag<T>;
    using V = hn::Vec<D>;
    using DD = hn::ScalableTag<double>;
    static constexpr D d{};
    static constexpr DD dd{};
    static constexpr std::int64_t most_lanes = HWY_MAX_BYTES / sizeof(T);
    // A row of taps of one element, rounded up to what is loaded at once.
    static constexpr std::int64_t row_taps = taps <= 2 ? 2 : taps <= 4 ? 4 : 8;
    static constexpr int order = taps - 1;
    using Mask = hn::Mask<D>;
    static constexpr std::size_t double_vectors = sizeof(double) / sizeof(T);
    static constexpr std::int64_t most_span =
        6;  // of rows that lanes share, beyond those that one lane reads

  public:
    // Writes up to `overhang` elements beyond the last.
    static constexpr std::int64_t overhang = most_lanes;

    SplineLine(const SampledPlane<T>& plane, const LineCoordinates& line) : plane_(plane), line_(line) {}

    // Elements [x.begin, x.end), all of whose taps exist.
    void sample_inside(AxisRange x, T* HWY_RESTRICT row) {
        for (std::int64_t begin = x.begin; begin < x.end; begin += lanes(), row += lanes()) {
            if (!plane_.has_working_type) {
                sample_blocks({begin, std::min(begin + lanes(), x.end)}, row);
                continue;
            }
            V sums[taps];
            if (!sum_by_rows(begin, x.end - 1, sums)) {
                locate(begin, x.end - 1);
                make_weights();
                sum_by_elements(sums);
            }
            hn::StoreU(combined(sums), d, row);
        }
    }

    // Elements [x.begin, x.end), anywhere.
    void sample_anywhere(AxisRange x, T* HWY_RESTRICT row) {
        for (std::int64_t begin = x.begin; begin < x.end; begin += lanes(), row += lanes()) {
            sample_blocks({begin, std::min(begin + lanes(), x.end)}, row);
        }
    }

  private:
    static std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(d)); }
    // Known when compiled: vectors of sums stay in registers only if the loops over them are unrolled.
    static constexpr auto part_lanes =
        static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<T, static_cast<std::size_t>(row_taps)>()));
    static constexpr std::int64_t parts = row_taps / part_lanes;

    // Where the lanes' taps lie: index of the first, and the rest of the coordinate, along each axis. Lanes beyond the
    // last element repeat it.
    HWY_NOINLINE void locate(std::int64_t begin, std::int64_t last) {
        const auto half_lanes = static_cast<std::int64_t>(hn::Lanes(dd));
        for (std::size_t axis = 0; axis < space_axes; ++axis) {
            if (!plane_.grid.is_sampled[axis]) {
                continue;
            }
            const auto base = hn::Set(dd, line_.base[axis]);
            const auto step = hn::Set(dd, line_.step[axis]);
            const auto offset = hn::Set(dd, line_.offset[axis]);
            const auto to_first =
                hn::Set(dd, static_cast<double>(plane_.grid.padding + plane_.grid.margin - order / 2));
            const auto last_middle =
                hn::Set(dd, static_cast<double>(plane_.grid.extents[axis] - plane_.grid.padding - 2));
            for (std::int64_t lane = 0; lane < lanes(); lane += half_lanes) {
                const auto x = hn::Min(hn::Iota(dd, static_cast<double>(begin + lane)),
                                       hn::Set(dd, static_cast<double>(last)));
                const auto coordinate = hn::Add(hn::Add(base, hn::Mul(step, x)), offset);
                auto middle = coordinate;
                if constexpr (taps == 2) {
                    middle = hn::Min(hn::Floor(coordinate), last_middle);
                } else if constexpr (order % 2 == 1) {
                    middle = hn::Floor(coordinate);
                } else {
                    middle = hn::Floor(hn::Add(coordinate, hn::Set(dd, 0.5)));
                }
                hn::Store(hn::Add(middle, to_first), dd, first_[axis] + lane);
                const auto rest = hn::Sub(coordinate, middle);
                if constexpr (sizeof(T) == sizeof(double)) {
                    hn::Store(rest, dd, rest_[axis] + lane);
                } else {
                    const hn::Rebind<float, DD> narrow;
                    hn::Store(hn::DemoteTo(narrow, rest), narrow, rest_[axis] + lane);
                }
            }
        }
    }

    HWY_NOINLINE void make_weights() {
        V z[taps];
        V y[taps];
        const int z_taps = taps_along(0);
        const int y_taps = taps_along(1);
        z[0] = y[0] = hn::Set(d, T(1));
        if (z_taps > 1) {
            spline_weights<taps>(d, hn::Load(d, rest_[0]), z);
        }
        if (y_taps > 1) {
            spline_weights<taps>(d, hn::Load(d, rest_[1]), y);
        }
        T* weights = row_weights_;
        for (int i = 0; i < z_taps; ++i) {
            for (int j = 0; j < y_taps; ++j, weights += most_lanes) {
                hn::Store(hn::Mul(z[i], y[j]), d, weights);
            }
        }
        spline_weights<taps>(d, hn::Load(d, rest_[2]), x_weights_);
    }

    int taps_along(std::size_t axis) const { return plane_.grid.is_sampled[axis] ? taps : 1; }

    static double middle_of(double coordinate, double last_middle) {
        if constexpr (taps == 2) {
            return std::min(std::floor(coordinate), last_middle);
        }
        return std::floor(order % 2 == 1 ? coordinate : coordinate + 0.5);
    }

    // What the lanes have in common along one axis.
    struct Places {
        std::int64_t first = 0;  // the smallest of their first taps
        std::int64_t span = 0;   // how far the others' lie behind it
        V after;                 // each lane's
        V rest;
    };

    HWY_INLINE Places places_along(std::size_t axis, const hn::Vec<DD>* HWY_RESTRICT x, std::int64_t begin,
                                   std::int64_t end) const {
        const auto last_middle = static_cast<double>(plane_.grid.extents[axis] - plane_.grid.padding - 2);
        const double one_end = middle_of(line_.at(axis, begin), last_middle);
        const double other_end = middle_of(line_.at(axis, end), last_middle);
        const double least = std::min(one_end, other_end);
        Places places;
        places.first =
            static_cast<std::int64_t>(least) + plane_.grid.padding + plane_.grid.margin - order / 2;
        places.span = static_cast<std::int64_t>(std::max(one_end, other_end) - least);
        const auto base = hn::Set(dd, line_.base[axis]);
        const auto step = hn::Set(dd, line_.step[axis]);
        const auto offset = hn::Set(dd, line_.offset[axis]);
        hn::Vec<DD> after[double_vectors];
        hn::Vec<DD> rest[double_vectors];
#pragma GCC unroll 2
        for (std::size_t i = 0; i < double_vectors; ++i) {
            const auto coordinate = hn::Add(hn::Add(base, hn::Mul(step, x[i])), offset);
            auto middle = coordinate;
            if constexpr (taps == 2) {
                middle = hn::Min(hn::Floor(coordinate), hn::Set(dd, last_middle));
            } else if constexpr (order % 2 == 1) {
                middle = hn::Floor(coordinate);
            } else {
                middle = hn::Floor(hn::Add(coordinate, hn::Set(dd, 0.5)));
            }
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

    // All lanes at once, from each row of taps that any of them reads: a load and a permutation of each tap serve all.
    // False where the lanes have too little in common.
    bool sum_by_rows(std::int64_t begin, std::int64_t last, V* HWY_RESTRICT sums) {
        if (!plane_.has_working_type) {
            return false;
        }
        const std::int64_t n = lanes();
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
        // Instructions, about: of a row for all lanes, and of a row for each lane.
        const std::int64_t cost = z_rows * y_rows * (2 * taps + 2);
        const std::int64_t cost_of_elements = n * (taps_along(0) * taps_along(1) * (parts + 1) + 12);
        const std::int64_t reach = (z_rows - 1) * z_pitch + (y_rows - 1) * y_pitch + taps - 1 + n;
        if (std::max(y_rows, z_rows) > taps + most_span || cost > cost_of_elements ||
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
        spline_weights<taps>(d, along_x.rest, x_weights_);
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

    // Each element for itself: its rows of taps are short vectors.
    void sum_by_elements(V* HWY_RESTRICT sums) {
        const auto& pitches = plane_.grid.pitches;
        const std::int64_t reach =
            (taps_along(0) - 1) * pitches[0] + (taps_along(1) - 1) * pitches[1] + row_taps;
        for (std::int64_t lane = 0; lane < lanes(); ++lane) {
            std::int64_t offset = 0;
            for (std::size_t axis = 0; axis < space_axes; ++axis) {
                if (plane_.grid.is_sampled[axis]) {
                    offset += static_cast<std::int64_t>(first_[axis][lane]) * pitches[axis];
                }
            }
            if (offset + reach <= plane_.elements) {
                sum_element(plane_.samples() + offset, pitches[0], pitches[1], lane);
            } else {
                sum_block_inside(offset, lane);
            }
        }
        load_sums(sums);
    }

    void sum_element(const T* HWY_RESTRICT rows, std::int64_t z_pitch, std::int64_t y_pitch,
                     std::int64_t lane) {
        const hn::CappedTag<T, static_cast<std::size_t>(row_taps)> part;
        using P = hn::Vec<decltype(part)>;
        P sums[parts];
#pragma GCC unroll 4
        for (std::int64_t i = 0; i < parts; ++i) {
            sums[i] = hn::Zero(part);
        }
        const T* weights = row_weights_ + lane;
        const int z_taps = taps_along(0);
        const int y_taps = taps_along(1);
        for (int z = 0; z < z_taps; ++z) {
            const T* row = rows + z * z_pitch;
            for (int y = 0; y < y_taps; ++y, row += y_pitch, weights += most_lanes) {
                if (taps == 2 && *weights == T(0)) {
                    continue;
                }
                const P weight = hn::Set(part, *weights);
#pragma GCC unroll 4
                for (std::int64_t i = 0; i < parts; ++i) {
                    sums[i] = hn::MulAdd(hn::LoadU(part, row + i * part_lanes), weight, sums[i]);
                }
            }
        }
        alignas(HWY_MAX_BYTES) T stored[row_taps];
        for (std::int64_t i = 0; i < parts; ++i) {
            hn::Store(sums[i], part, stored + i * part_lanes);
        }
        for (int j = 0; j < taps; ++j) {
            sums_[j * most_lanes + lane] = stored[j];
        }
    }

    void load_sums(V* HWY_RESTRICT sums) const {
        for (int j = 0; j < taps; ++j) {
            sums[j] = hn::Load(d, sums_ + j * most_lanes);
        }
    }

    // The last rows of the plane, where a whole short vector would reach beyond it.
    void sum_block_inside(std::int64_t offset, std::int64_t lane) {
        TapOffsets offsets;
        for (std::size_t axis = 0; axis < space_axes; ++axis) {
            offsets.count[axis] = taps_along(axis);
            for (int tap = 0; tap < offsets.count[axis]; ++tap) {
                offsets.along[axis][static_cast<std::size_t>(tap)] =
                    tap * plane_.grid.pitches[axis] + (axis == 2 ? offset : 0);
            }
        }
        sum_block(offsets, lane);
    }

    void sum_block(const TapOffsets& offsets, std::int64_t lane) {
        plane_.pick(plane_.data, offsets, row_taps, plane_.cval, block_);
        sum_element(block_, row_taps * offsets.count[1], row_taps, lane);
    }

    HWY_NOINLINE void sample_blocks(AxisRange x, T* HWY_RESTRICT row) {
        TapOffsets offsets[most_lanes];
        bool is_outside[most_lanes] = {};
        const std::int64_t n = x.end - x.begin;
        for (std::int64_t lane = 0; lane < lanes(); ++lane) {
            const std::int64_t element = std::min(lane, n - 1);
            const ElementTaps found = element_taps(plane_.grid, line_, x.begin + element);
            offsets[lane] = found.offsets;
            is_outside[lane] = found.is_outside;
            for (std::size_t axis = 0; axis < space_axes; ++axis) {
                rest_[axis][lane] = static_cast<T>(found.rest[axis]);
            }
        }
        make_weights();
        for (std::int64_t lane = 0; lane < lanes(); ++lane) {
            if (is_outside[lane]) {
                for (int j = 0; j < taps; ++j) {
                    sums_[j * most_lanes + lane] = T(0);
                }
            } else {
                sum_block(offsets[lane], lane);
            }
        }
        V sums[taps];
        load_sums(sums);
        hn::StoreU(combined(sums), d, row);
        for (std::int64_t lane = 0; lane < n; ++lane) {
            if (is_outside[lane]) {
                row[lane] = plane_.cval;
            }
        }
    }

    HWY_INLINE V combined(const V* HWY_RESTRICT sums) const {
        if constexpr (taps == 2) {
            // A tap of weight 0 is not there: what it holds may not be a number.
            const auto zero = hn::Zero(d);
            const V sum = hn::IfThenElseZero(hn::Ne(x_weights_[0], zero), hn::Mul(sums[0], x_weights_[0]));
            return hn::IfThenElse(hn::Ne(x_weights_[1], zero), hn::MulAdd(sums[1], x_weights_[1], sum), sum);
        }
        V sum = hn::Mul(sums[0], x_weights_[0]);
        for (int j = 1; j < taps; ++j) {
            sum = hn::MulAdd(sums[j], x_weights_[j], sum);
        }
        return sum;
    }

    const SampledPlane<T>& plane_;
    const LineCoordinates& line_;
    alignas(HWY_MAX_BYTES) double first_[space_axes][most_lanes];
    alignas(HWY_MAX_BYTES) T rest_[space_axes][most_lanes];
    alignas(HWY_MAX_BYTES) T row_weights_[taps * taps * most_lanes];
    alignas(HWY_MAX_BYTES) T sums_[taps * most_lanes];
    alignas(HWY_MAX_BYTES) T block_[taps * taps * row_taps];
    V x_weights_[taps];
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
