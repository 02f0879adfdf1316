// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_ROW
#undef SLAB_KERNELS_SPLINE_ROW
#else
#define SLAB_KERNELS_SPLINE_ROW
#endif

#include "daemon/kernels/interpolation/sample_line_inl.hpp"
#include "daemon/kernels/interpolation/spline_weights_inl.hpp"
#include "daemon/kernels/interpolation/weighted_sums_inl.hpp"
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
struct RowTable {
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
HWY_INLINE void group_row(RowTable<T>& table) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    using Index = typename RowTable<T>::Index;
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
HWY_NOINLINE void place_weights(std::int64_t count, RowTable<T>& table) {
    const hn::ScalableTag<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t stride = table.stride;
    for (std::int64_t i = 0; i < count; i += lanes) {
        // As spline_taps places them.
        const auto coordinate = hn::LoadU(d, table.firsts + i);
        const auto half = hn::Set(d, order % 2 == 1 ? 0.0 : 0.5);
        const auto middle = hn::Floor(hn::Add(coordinate, half));
        hn::StoreU(hn::Sub(middle, hn::Set(d, static_cast<double>(order / 2))), d, table.firsts + i);
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
                               std::int64_t end, std::int64_t most_samples, RowTable<T>& table) {
    using Index = typename RowTable<T>::Index;
    const std::int64_t most = std::max<std::int64_t>(1, RowTable<T>::most_parts / stride);
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

// Rows of samples that a table needs reach beyond the ends of the axis at most by this on either side: the radius of a
// prefilter, its padding, the taps.
inline constexpr std::int64_t most_beyond = 128;

// The samples of a row that lie beyond its ends, found once for all rows: each is one that is in the row, or in memory, or
// cval.
class RowEnds {
  public:
    void find(std::int64_t begin, std::int64_t end, std::int64_t n, Extension extension, Boundary boundary) {
        begin_ = begin;
        inside_begin_ = std::clamp<std::int64_t>(begin, 0, n);
        inside_end_ = std::clamp<std::int64_t>(end, inside_begin_, n);
        count_ = 0;
        are_in_row_ = true;
        for (std::int64_t i = begin; i < end; ++i) {
            if (i == inside_begin_ && inside_begin_ < inside_end_) {
                i = inside_end_ - 1;
                continue;
            }
            place_[count_] = i - begin;
            source_[count_] = extended_index(extension, i, n, boundary).value_or(-1);
            are_in_row_ = are_in_row_ && source_[count_] >= inside_begin_ && source_[count_] < inside_end_;
            ++count_;
        }
    }

    // Indices [begin, end) of the line, `width` parts each, one after the other at `to`.
    template <typename T>
    HWY_INLINE void load(const SampleLine& line, double cval, T* to) const {
        const auto part_bytes = static_cast<std::int64_t>(size_of(part_dtype(line.dtype)));
        const std::int64_t width = line.width;
        load_row(line.data + inside_begin_ * width * part_bytes, line.dtype,
                 to + (inside_begin_ - begin_) * width, (inside_end_ - inside_begin_) * width);
        if (are_in_row_ && width == 1) {
            for (std::int64_t i = 0; i < count_; ++i) {
                to[place_[i]] = to[source_[i] - begin_];
            }
            return;
        }
        for (std::int64_t i = 0; i < count_; ++i) {
            T* const target = to + place_[i] * width;
            const std::int64_t source = source_[i];
            if (source >= inside_begin_ && source < inside_end_) {
                for (std::int64_t part = 0; part < width; ++part) {
                    target[part] = to[(source - begin_) * width + part];
                }
            } else if (source >= 0) {
                load_row(line.data + source * width * part_bytes, line.dtype, target, width);
            } else {
                place_beyond(target, width, line.parts, cval);
            }
        }
    }

  private:
    std::int64_t begin_;
    std::int64_t inside_begin_;
    std::int64_t inside_end_;
    std::int64_t count_;
    bool are_in_row_;
    std::int64_t place_[2 * most_beyond];
    std::int64_t source_[2 * most_beyond];
};

// One vector of each tap's samples, for a vector of results.
template <class D, typename T = hn::TFromD<D>>
class TapPicker {
  public:
    using Index = typename RowTable<T>::Index;

    HWY_INLINE TapPicker(D d, const RowTable<T>& table, std::int64_t group, const T* row)
        : d_(d), offsets_(table.offsets + group * static_cast<std::int64_t>(hn::Lanes(d))),
          row_(row + table.groups[group].start) {}

    // Of all taps: the samples that of_one_load picks from.
    HWY_INLINE auto load_once() const { return hn::LoadU(d_, row_); }

    HWY_INLINE auto of_one_load(hn::Vec<D> samples, std::int64_t at) const {
        const hn::Rebind<Index, D> di;
        const auto indices = hn::Add(hn::Load(di, offsets_), hn::Set(di, static_cast<Index>(at)));
        return hn::TableLookupLanes(samples, hn::IndicesFromVec(d_, indices));
    }

    HWY_INLINE auto of_one_vector(std::int64_t at) const {
        return hn::TableLookupLanes(hn::LoadU(d_, row_ + at), hn::SetTableIndices(d_, offsets_));
    }

    HWY_INLINE auto of_two_vectors(std::int64_t at) const {
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(d_));
        const auto low = hn::LoadU(d_, row_ + at);
        const auto high = hn::LoadU(d_, row_ + at + lanes);
        const hn::Rebind<Index, D> di;
        const auto offsets = hn::LoadU(di, offsets_);
#if HWY_TARGET <= HWY_AVX3
        if constexpr (sizeof(T) == 4) {
            return hn::Vec512<T>{_mm512_permutex2var_ps(low.raw, offsets.raw, high.raw)};
        } else {
            return hn::Vec512<T>{_mm512_permutex2var_pd(low.raw, offsets.raw, high.raw)};
        }
#else
        const auto within = hn::And(offsets, hn::Set(di, static_cast<Index>(lanes - 1)));
        const auto indices = hn::IndicesFromVec(d_, within);
        const auto is_high = hn::RebindMask(d_, hn::Gt(offsets, hn::Set(di, static_cast<Index>(lanes - 1))));
        return hn::IfThenElse(is_high, hn::TableLookupLanes(high, indices),
                              hn::TableLookupLanes(low, indices));
#endif
    }

    HWY_INLINE auto of_elements(std::int64_t at) const {
        alignas(most_vector_bytes) T picked[most_vector_bytes / sizeof(T)];
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(d_));
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
            picked[lane] = row_[at + offsets_[lane]];
        }
        return hn::Load(d_, picked);
    }

  private:
    D d_;
    const Index* offsets_;
    const T* row_;
};

// One row of results from a row of samples, of which index 0 is table.first; reads two vectors beyond what it needs,
// writes whole vectors. A sample whose weight is 0 does not count, be it infinite.
template <int taps, typename T>
HWY_NOINLINE void interpolate_row_of(const RowTable<T>& table, const T* HWY_RESTRICT row,
                                     T* HWY_RESTRICT to) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t groups = (table.parts + lanes - 1) / lanes;
    for (std::int64_t g = 0; g < groups; ++g) {
        const TapPicker<decltype(d)> picker(d, table, g, row);
        const RowGroup group = table.groups[g];
        const auto sum_up = [&](const auto& pick) HWY_ATTR {
            auto sum = hn::Zero(d);
            for (int tap = 0; tap < taps; ++tap) {
                const auto weight = hn::Load(d, table.weights[tap] + g * lanes);
                auto sample = pick(tap * table.stride);
                if (HWY_UNLIKELY(group.has_zero_weights)) {
                    sample = hn::IfThenZeroElse(hn::Eq(weight, hn::Zero(d)), sample);
                }
                sum = hn::MulAdd(weight, sample, sum);
            }
            hn::StoreU(sum, d, to + g * lanes);
        };
        if (HWY_LIKELY(group.pick == Pick::one_load)) {
            const auto samples = picker.load_once();
            sum_up([&](std::int64_t at) HWY_ATTR { return picker.of_one_load(samples, at); });
        } else if (group.pick == Pick::one_vector) {
            sum_up([&](std::int64_t at) HWY_ATTR { return picker.of_one_vector(at); });
        } else if (group.pick == Pick::two_vectors) {
            sum_up([&](std::int64_t at) HWY_ATTR { return picker.of_two_vectors(at); });
        } else {
            sum_up([&](std::int64_t at) HWY_ATTR { return picker.of_elements(at); });
        }
    }
}

template <typename T>
HWY_INLINE void interpolate_row(const RowTable<T>& table, const T* row, T* to) {
    switch (table.taps) {
    case 1: return interpolate_row_of<1>(table, row, to);
    case 2: return interpolate_row_of<2>(table, row, to);
    case 3: return interpolate_row_of<3>(table, row, to);
    case 4: return interpolate_row_of<4>(table, row, to);
    case 5: return interpolate_row_of<5>(table, row, to);
    default: return interpolate_row_of<6>(table, row, to);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
