// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_ROW_TABLE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_ROW_TABLE
#undef SLAB_KERNELS_SPLINE_ROW_TABLE
#else
#define SLAB_KERNELS_SPLINE_ROW_TABLE
#endif

#include "daemon/kernels/interpolation/sample_line_inl.hpp"
#include "daemon/kernels/interpolation/spline_weights_inl.hpp"
#include "daemon/kernels/zoom/spline_axis.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// How the taps of one vector of results are brought into lanes.
enum class Pick : std::uint8_t {
    one_load,     // all taps' samples lie within one vector: a permute for each tap
    one_vector,   // each tap's do: one load and one permute for each tap
    two_vectors,  // within two
    elements,     // one by one
};

struct RowGroup {
    std::int32_t start;  // of the samples: the least offset of any lane's first tap
    Pick pick;
    bool has_zero_weights;
};

// From a row of samples in scratch to a piece of a row of results: for each result order + 1 weights, the place of its
// first tap; the other taps follow `stride` parts apart. Made once for all rows of a tile.
template <typename T>
struct SplineRowTable {
    using Index = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    static constexpr std::int64_t most_parts = spline_row_bytes / static_cast<std::int64_t>(sizeof(T));

    std::int64_t begin;  // the results' indices along the axis
    std::int64_t end;
    std::int64_t first;   // the samples: virtual indices of the axis
    std::int64_t last;    // past the last
    std::int64_t stride;  // parts of an element
    std::int64_t parts;   // of the results
    int taps;
    RowGroup groups[most_parts];            // as many as there are vectors: the least vector is of one lane
    alignas(64) Index offsets[most_parts];  // from the group's start
    alignas(64) double firsts[most_parts + most_vector_bytes / 8];  // the first tap's index
    alignas(64) T weights[most_order + 1][most_parts];              // a whole number of vectors
};

// Decides for each vector of results how to pick its taps.
template <typename T>
HWY_INLINE void group_row(SplineRowTable<T>& table) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    using Index = typename SplineRowTable<T>::Index;
    const std::int64_t padded = (table.parts + lanes - 1) / lanes * lanes;
    for (std::int64_t i = table.parts; i < padded; ++i) {
        table.offsets[i] = table.offsets[table.parts - 1];
        for (int tap = 0; tap < table.taps; ++tap) {
            table.weights[tap][i] = T(1);
        }
    }
    const hn::ScalableTag<Index> di;
    for (std::int64_t i = 0; i < padded; i += lanes) {
        const auto offsets = hn::Load(di, table.offsets + i);
        const Index low = hn::GetLane(hn::MinOfLanes(di, offsets));
        const Index high = hn::GetLane(hn::MaxOfLanes(di, offsets));
        bool has_zero_weights = false;
        for (int tap = 0; tap < table.taps; ++tap) {
            const auto is_zero = hn::Eq(hn::Load(d, table.weights[tap] + i), hn::Zero(d));
            has_zero_weights = has_zero_weights || !hn::AllFalse(d, is_zero);
        }
        const Pick pick = high - low + (table.taps - 1) * table.stride < lanes ? Pick::one_load
                          : high - low < lanes                                 ? Pick::one_vector
                          : high - low < 2 * lanes                             ? Pick::two_vectors
                                                                               : Pick::elements;
        table.groups[i / lanes] = {static_cast<std::int32_t>(low), pick, has_zero_weights};
        hn::Store(hn::Sub(offsets, hn::Set(di, low)), di, table.offsets + i);
    }
}

// Coordinates of `count` results from `begin` on, mapped; the last one again up to a whole number of vectors.
HWY_INLINE void place_coordinates(const SplineAxis& axis, std::int64_t begin, std::int64_t count,
                                  double* coordinates) {
    const hn::ScalableTag<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t padded = (count + lanes - 1) / lanes * lanes;
    const ZoomConvention convention = axis.zoom.convention;
    const auto step = hn::Set(d, axis.zoom.step);
    const auto half = hn::Set(d, 0.5);
    const auto last = hn::Set(d, static_cast<double>(axis.zoom.n_in - 1));
    // As zoom_coordinate.
    for (std::int64_t i = 0; i < padded; i += lanes) {
        const auto k = hn::Iota(d, static_cast<double>(begin + i));
        if (convention == ZoomConvention::scipy) {
            hn::StoreU(hn::Min(hn::Mul(k, step), last), d, coordinates + i);
        } else if (convention == ZoomConvention::scipy_grid) {
            hn::StoreU(hn::Sub(hn::Mul(hn::Add(k, half), step), half), d, coordinates + i);
        } else {
            for (std::int64_t lane = i; lane < i + lanes; ++lane) {
                coordinates[lane] = zoom_coordinate(axis.zoom, begin + lane);
            }
        }
    }
    std::fill(coordinates + count, coordinates + padded, coordinates[count - 1]);
    if (axis.has_own_coefficients_beyond || axis.boundary == Boundary::nearest) {
        return;
    }
    for (std::int64_t i = 0; i < padded; i += lanes) {
        const auto c = hn::LoadU(d, coordinates + i);
        if (!hn::AllFalse(d, hn::Or(hn::Lt(c, hn::Zero(d)), hn::Gt(c, last)))) {
            for (std::int64_t lane = i; lane < i + lanes; ++lane) {
                coordinates[lane] = *map_coordinate(coordinates[lane], axis.zoom.n_in, axis.boundary);
            }
        }
    }
}

// How many of the first taps from firsts[0] on lie not farther apart than so; which is the least and the largest.
struct SampleWindow {
    std::int64_t results;
    double first;
    double last;
};

// `firsts` is as long as a whole number of vectors, the last one repeated.
HWY_INLINE SampleWindow window_of(const double* firsts, std::int64_t count, double most_distance) {
    const hn::ScalableTag<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    auto low = hn::LoadU(d, firsts);
    auto high = low;
    for (std::int64_t i = lanes; i < count; i += lanes) {
        low = hn::Min(low, hn::LoadU(d, firsts + i));
        high = hn::Max(high, hn::LoadU(d, firsts + i));
    }
    SampleWindow window{count, hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high))};
    if (window.last - window.first <= most_distance) {
        return window;
    }
    window = {1, firsts[0], firsts[0]};
    for (; window.results < count; ++window.results) {
        const double first = std::min(window.first, firsts[window.results]);
        const double last = std::max(window.last, firsts[window.results]);
        if (last - first > most_distance) {
            break;
        }
        window.first = first;
        window.last = last;
    }
    return window;
}

// A vector of doubles as elements of T from `to` on; writes no others.
template <class D, class V, typename T>
HWY_INLINE void store_as(D d, V values, T* to) {
    if constexpr (sizeof(T) == sizeof(double)) {
        hn::StoreU(values, d, to);
    } else {
        const hn::Rebind<T, D> narrow;
        hn::StoreU(hn::DemoteTo(narrow, values), narrow, to);
    }
}

// Turns the coordinates in table.firsts into first taps and weights.
template <int order, typename T>
HWY_NOINLINE void place_weights(std::int64_t count, SplineRowTable<T>& table) {
    const hn::ScalableTag<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t stride = table.stride;
    constexpr int taps_before = order / 2;
    for (std::int64_t i = 0; i < count; i += lanes) {
        // As spline_taps places them.
        const auto coordinate = hn::LoadU(d, table.firsts + i);
        const auto half = hn::Set(d, order % 2 == 1 ? 0.0 : 0.5);
        const auto middle = hn::Floor(hn::Add(coordinate, half));
        hn::StoreU(hn::Sub(middle, hn::Set(d, static_cast<double>(taps_before))), d, table.firsts + i);
        hn::Vec<decltype(d)> weights[order + 1];
        spline_weights<order + 1>(d, hn::Sub(coordinate, middle), weights);
        const std::int64_t inside = std::min(lanes, count - i);
        for (int tap = 0; tap <= order; ++tap) {
            if (stride == 1) {
                store_as(d, weights[tap], table.weights[tap] + i);
                continue;
            }
            alignas(most_vector_bytes) double values[most_vector_bytes / sizeof(double)];
            hn::Store(weights[tap], d, values);
            T* to = table.weights[tap] + i * stride;
            for (std::int64_t lane = 0; lane < inside; ++lane) {
                for (std::int64_t part = 0; part < stride; ++part) {
                    *to++ = static_cast<T>(values[lane]);
                }
            }
        }
    }
}

// For results from `begin` on: as many as fit in a row of results and whose samples fit in `most_samples`. At least one.
template <typename T>
HWY_INLINE void make_row_table(const SplineAxis& axis, std::int64_t stride, std::int64_t begin,
                               std::int64_t end, std::int64_t most_samples, SplineRowTable<T>& table) {
    using Index = typename SplineRowTable<T>::Index;
    const std::int64_t most = std::max<std::int64_t>(1, SplineRowTable<T>::most_parts / stride);
    const std::int64_t count = std::min(most, end - begin);
    table.begin = begin;
    table.stride = stride;
    table.taps = axis.order + 1;
    place_coordinates(axis, begin, count, table.firsts);
    switch (axis.order) {
    case 0: place_weights<0>(count, table); break;
    case 1: place_weights<1>(count, table); break;
    case 2: place_weights<2>(count, table); break;
    case 3: place_weights<3>(count, table); break;
    case 4: place_weights<4>(count, table); break;
    default: place_weights<5>(count, table);
    }
    const SampleWindow window =
        window_of(table.firsts, count, static_cast<double>(most_samples - table.taps));
    for (std::int64_t i = 0; stride == 1 && i < window.results; ++i) {
        table.offsets[i] = static_cast<Index>(table.firsts[i] - window.first);
    }
    for (std::int64_t i = 0; stride > 1 && i < window.results; ++i) {
        const auto offset = static_cast<Index>(table.firsts[i] - window.first) * static_cast<Index>(stride);
        for (std::int64_t part = 0; part < stride; ++part) {
            table.offsets[i * stride + part] = offset + static_cast<Index>(part);
        }
    }
    table.end = begin + window.results;
    table.parts = window.results * stride;
    table.first = static_cast<std::int64_t>(window.first);
    table.last = static_cast<std::int64_t>(window.last) + table.taps;
    group_row(table);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
