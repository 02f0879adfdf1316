// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_ROW
#undef SLAB_KERNELS_SPLINE_ROW
#else
#define SLAB_KERNELS_SPLINE_ROW
#endif

#include "daemon/kernels/interpolation/fir_inl.hpp"
#include "daemon/kernels/zoom/spline_axis.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// How the taps of one vector of results are brought into lanes.
enum class Pick : std::uint8_t {
    one_vector,   // all within one vector of samples: one load and one permute for each tap
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
    alignas(64) T weights[most_order + 1][most_parts];
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
    for (std::int64_t i = 0; i < padded; i += lanes) {
        Index low = table.offsets[i];
        Index high = low;
        bool has_zero_weights = false;
        for (std::int64_t lane = i; lane < i + lanes; ++lane) {
            low = std::min(low, table.offsets[lane]);
            high = std::max(high, table.offsets[lane]);
            for (int tap = 0; tap < table.taps; ++tap) {
                has_zero_weights = has_zero_weights || table.weights[tap][lane] == T(0);
            }
        }
        const Pick pick = high - low < lanes       ? Pick::one_vector
                          : high - low < 2 * lanes ? Pick::two_vectors
                                                   : Pick::elements;
        table.groups[i / lanes] = {static_cast<std::int32_t>(low), pick, has_zero_weights};
        for (std::int64_t lane = i; lane < i + lanes; ++lane) {
            table.offsets[lane] -= low;
        }
    }
}

// For results from `begin` on: as many as fit in a row of results and whose samples fit in `most_samples`. At least one.
template <typename T>
HWY_INLINE void make_row_table(const SplineAxis& axis, std::int64_t stride, std::int64_t begin,
                               std::int64_t end, std::int64_t most_samples, RowTable<T>& table) {
    const std::int64_t most = std::max<std::int64_t>(1, RowTable<T>::most_parts / stride);
    table.begin = begin;
    table.stride = stride;
    table.taps = axis.order + 1;
    std::int64_t origin = 0;
    std::int64_t k = begin;
    for (; k < std::min(end, begin + most); ++k) {
        const SplineTaps taps = *taps_at(axis, k);
        const std::int64_t first = k == begin ? taps.first : std::min(table.first, taps.first);
        const std::int64_t last =
            k == begin ? taps.first + table.taps : std::max(table.last, taps.first + table.taps);
        if (k > begin && last - first > most_samples) {
            break;
        }
        table.first = first;
        table.last = last;
        origin = k == begin ? first : origin;
        for (std::int64_t part = 0; part < stride; ++part) {
            const std::int64_t i = (k - begin) * stride + part;
            // From the first result's first tap for now: neither of the two fits an Index in long rows.
            table.offsets[i] =
                static_cast<typename RowTable<T>::Index>((taps.first - origin) * stride + part);
            for (int tap = 0; tap < table.taps; ++tap) {
                table.weights[tap][i] = static_cast<T>(taps.weights[static_cast<std::size_t>(tap)]);
            }
        }
    }
    table.end = k;
    table.parts = (k - begin) * stride;
    for (std::int64_t i = 0; i < table.parts; ++i) {
        table.offsets[i] -= static_cast<typename RowTable<T>::Index>((table.first - origin) * stride);
    }
    group_row(table);
}

// One vector of each tap's samples, for a vector of results.
template <class D, typename T = hn::TFromD<D>>
class TapPicker {
  public:
    using Index = typename RowTable<T>::Index;

    HWY_INLINE TapPicker(D d, const RowTable<T>& table, std::int64_t group, const T* row)
        : d_(d), offsets_(table.offsets + group * static_cast<std::int64_t>(hn::Lanes(d))),
          row_(row + table.groups[group].start) {}

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
        if (HWY_LIKELY(group.pick == Pick::one_vector)) {
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
