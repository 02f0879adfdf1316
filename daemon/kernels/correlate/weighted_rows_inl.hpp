// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WEIGHTED_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WEIGHTED_ROWS
#undef SLAB_KERNELS_WEIGHTED_ROWS
#else
#define SLAB_KERNELS_WEIGHTED_ROWS
#endif

#include "daemon/kernels/correlate/weight_list.hpp"
#include "daemon/kernels/interpolation/sample_line_inl.hpp"
#include "daemon/kernels/windows/scratch_parts.hpp"

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The weights of one part that are not 0, by rows of the window: those of row r are [begin[r], begin[r + 1]).
template <typename T>
struct WeightRows {
    T* weights = nullptr;
    std::int32_t* offsets = nullptr;  // into the row of samples, in parts
    std::int32_t* begin = nullptr;
};

template <typename T>
WeightRows<T> weight_rows(const CorrelateProgram& program, const ConstArrayView& weights, std::int64_t part,
                          std::int64_t rows, ScratchParts& scratch) {
    const std::int64_t count = element_count(weights.shape);
    const std::int64_t row_length = count / rows;
    WeightRows<T> list{scratch.take<T>(count), scratch.take<std::int32_t>(count),
                       scratch.take<std::int32_t>(rows + 1)};
    std::int32_t next = 0;
    std::int64_t row = 0;
    list.begin[0] = 0;
    for_each_weight<T>(program, weights, part,
                       [&](const std::array<std::int64_t, max_rank>& place, T weight) {
                           std::int64_t index = 0;
                           for (int axis = 0; axis < weights.shape.rank; ++axis) {
                               index = index * weights.shape[axis] + place[static_cast<std::size_t>(axis)];
                           }
                           for (; row < index / row_length; ++row) {
                               list.begin[row + 1] = next;
                           }
                           list.weights[next] = weight;
                           list.offsets[next] = static_cast<std::int32_t>(index % row_length * program.inner);
                           ++next;
                       });
    for (; row < rows; ++row) {
        list.begin[row + 1] = next;
    }
    return list;
}

// sums[x] += weight * samples[r][x + offset], for all weights of rows [first, end), in this order, each product rounded
// and added: samples[0] is of row `first`. Reads no sample beyond `width` and the offset, writes whole vectors.
template <typename T>
HWY_NOINLINE void add_weighted_rows(const WeightRows<T>& list, std::int64_t first, std::int64_t end,
                                    const T* const* HWY_RESTRICT samples, T* HWY_RESTRICT sums,
                                    std::int64_t width) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t x = 0;
    for (; x + 4 * lanes <= width; x += 4 * lanes) {
        auto sum0 = hn::LoadU(d, sums + x);
        auto sum1 = hn::LoadU(d, sums + x + lanes);
        auto sum2 = hn::LoadU(d, sums + x + 2 * lanes);
        auto sum3 = hn::LoadU(d, sums + x + 3 * lanes);
        for (std::int64_t row = first; row < end; ++row) {
            const T* const from = samples[row - first] + x;
            for (std::int32_t i = list.begin[row]; i < list.begin[row + 1]; ++i) {
                const auto weight = hn::Set(d, list.weights[i]);
                const T* const at = from + list.offsets[i];
                sum0 = hn::Add(sum0, hn::Mul(weight, hn::LoadU(d, at)));
                sum1 = hn::Add(sum1, hn::Mul(weight, hn::LoadU(d, at + lanes)));
                sum2 = hn::Add(sum2, hn::Mul(weight, hn::LoadU(d, at + 2 * lanes)));
                sum3 = hn::Add(sum3, hn::Mul(weight, hn::LoadU(d, at + 3 * lanes)));
            }
        }
        hn::StoreU(sum0, d, sums + x);
        hn::StoreU(sum1, d, sums + x + lanes);
        hn::StoreU(sum2, d, sums + x + 2 * lanes);
        hn::StoreU(sum3, d, sums + x + 3 * lanes);
    }
    HWY_ALIGN T part[most_vector_bytes / sizeof(T)] = {};
    for (; x < width; x += lanes) {
        const auto bytes = static_cast<std::size_t>(std::min(lanes, width - x)) * sizeof(T);
        auto sum = hn::LoadU(d, sums + x);
        for (std::int64_t row = first; row < end; ++row) {
            const T* const from = samples[row - first] + x;
            for (std::int32_t i = list.begin[row]; i < list.begin[row + 1]; ++i) {
                std::memcpy(part, from + list.offsets[i], bytes);
                sum = hn::Add(sum, hn::Mul(hn::Set(d, list.weights[i]), hn::Load(d, part)));
            }
        }
        hn::StoreU(sum, d, sums + x);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
