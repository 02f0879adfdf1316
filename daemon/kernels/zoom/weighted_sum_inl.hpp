// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WEIGHTED_SUM) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WEIGHTED_SUM
#undef SLAB_KERNELS_WEIGHTED_SUM
#else
#define SLAB_KERNELS_WEIGHTED_SUM
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Up to six rows and their weights; those of weight 0 are left out.
template <typename T>
struct WeightedRows {
    int count = 0;
    const T* rows[6];
    T weights[6];

    void add(const T* row, T weight) {
        rows[count] = row;
        weights[count++] = weight;
    }
};

// to[i] = the sum of weights[j] * rows[j][i], from 0 on. Whole groups of two vectors are read and written.
template <int count, typename T>
HWY_NOINLINE void sum_rows_of(const WeightedRows<T>& sum, T* HWY_RESTRICT to, std::int64_t elements) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t i = 0; i < elements; i += 2 * lanes) {
        auto sum0 = hn::Zero(d);
        auto sum1 = hn::Zero(d);
        for (int j = 0; j < count; ++j) {
            const auto weight = hn::Set(d, sum.weights[j]);
            sum0 = hn::MulAdd(weight, hn::LoadU(d, sum.rows[j] + i), sum0);
            sum1 = hn::MulAdd(weight, hn::LoadU(d, sum.rows[j] + i + lanes), sum1);
        }
        hn::StoreU(sum0, d, to + i);
        hn::StoreU(sum1, d, to + i + lanes);
    }
}

template <typename T>
HWY_INLINE void sum_rows(const WeightedRows<T>& sum, T* to, std::int64_t elements) {
    switch (sum.count) {
    case 0: return sum_rows_of<0>(sum, to, elements);
    case 1: return sum_rows_of<1>(sum, to, elements);
    case 2: return sum_rows_of<2>(sum, to, elements);
    case 3: return sum_rows_of<3>(sum, to, elements);
    case 4: return sum_rows_of<4>(sum, to, elements);
    case 5: return sum_rows_of<5>(sum, to, elements);
    default: return sum_rows_of<6>(sum, to, elements);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
