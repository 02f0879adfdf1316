// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_ROW
#undef SLAB_KERNELS_SPLINE_ROW
#else
#define SLAB_KERNELS_SPLINE_ROW
#endif

#include "daemon/kernels/interpolation/weighted_sums_inl.hpp"
#include "daemon/kernels/zoom/spline_row_table_inl.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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
    using Index = typename SplineRowTable<T>::Index;

    HWY_INLINE TapPicker(D d, const SplineRowTable<T>& table, std::int64_t group, const T* row)
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
HWY_NOINLINE void interpolate_row_of(const SplineRowTable<T>& table, const T* HWY_RESTRICT row,
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
HWY_INLINE void interpolate_row(const SplineRowTable<T>& table, const T* row, T* to) {
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
