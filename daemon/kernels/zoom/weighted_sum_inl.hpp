// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WEIGHTED_SUM) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WEIGHTED_SUM
#undef SLAB_KERNELS_WEIGHTED_SUM
#else
#define SLAB_KERNELS_WEIGHTED_SUM
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

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

    void skip(std::int64_t elements) {
        for (int j = 0; j < count; ++j) {
            rows[j] += elements;
        }
    }
};

// Two sums of the same rows, whose results lie `apart` elements apart.
template <typename T>
struct TwoSums {
    WeightedRows<T> first;
    T second_weights[6];
    std::int64_t apart;

    WeightedRows<T> second() const {
        WeightedRows<T> sum = first;
        std::copy_n(second_weights, sum.count, sum.weights);
        return sum;
    }
    void skip(std::int64_t elements) { first.skip(elements); }
};

template <typename T>
HWY_INLINE bool are_of_same_rows(const WeightedRows<T>& a, const WeightedRows<T>& b) {
    return a.count == b.count && std::equal(a.rows, a.rows + a.count, b.rows);
}

// to[i] = the sum of weights[j] * rows[j][i], from 0 on. Whole groups of two vectors are read and written.
template <int count, typename T>
HWY_NOINLINE void sum_rows_of(const WeightedRows<T>& sum, T* HWY_RESTRICT to, std::int64_t elements) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const WeightedRows<T> own = sum;  // which the stores cannot change
    for (std::int64_t i = 0; i < elements; i += 2 * lanes) {
        auto sum0 = hn::Zero(d);
        auto sum1 = hn::Zero(d);
        for (int j = 0; j < count; ++j) {
            const auto weight = hn::Set(d, own.weights[j]);
            sum0 = hn::MulAdd(weight, hn::LoadU(d, own.rows[j] + i), sum0);
            sum1 = hn::MulAdd(weight, hn::LoadU(d, own.rows[j] + i + lanes), sum1);
        }
        hn::StoreU(sum0, d, to + i);
        hn::StoreU(sum1, d, to + i + lanes);
    }
}

// Elements of one vector.
template <typename T>
HWY_INLINE std::int64_t sum_step() {
    return static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

// Two at once. `elements` are whole vectors: what is written beyond the first's would fall on the second's.
template <int count, typename T>
HWY_NOINLINE void sum_rows_twice_of(const TwoSums<T>& sums, T* HWY_RESTRICT to, std::int64_t elements) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const TwoSums<T> own = sums;
    for (std::int64_t i = 0; i < elements; i += lanes) {
        auto sum0 = hn::Zero(d);
        auto sum1 = hn::Zero(d);
        for (int j = 0; j < count; ++j) {
            const auto sample = hn::LoadU(d, own.first.rows[j] + i);
            sum0 = hn::MulAdd(hn::Set(d, own.first.weights[j]), sample, sum0);
            sum1 = hn::MulAdd(hn::Set(d, own.second_weights[j]), sample, sum1);
        }
        hn::StoreU(sum0, d, to + i);
        hn::StoreU(sum1, d, to + own.apart + i);
    }
}

// The same into memory past the caches: each vector is stored as soon as it is computed, so that the arithmetic runs
// while the stores drain. `to` is aligned to a vector, `elements` are whole vectors.
template <int count, typename T>
HWY_NOINLINE void stream_rows_of(const WeightedRows<T>& sum, T* HWY_RESTRICT to, std::int64_t elements) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const WeightedRows<T> own = sum;
    std::int64_t i = 0;
    for (; i + 2 * lanes <= elements; i += 2 * lanes) {
        // The rows lie in the second cache, and what fetches them gives way to streaming stores: 10 % of the time.
        for (int j = 0; j < count; ++j) {
            const auto* const ahead = reinterpret_cast<const std::byte*>(own.rows[j] + i) + 2048;
            hwy::Prefetch(ahead);
            hwy::Prefetch(ahead + lanes * static_cast<std::int64_t>(sizeof(T)));
        }
        auto sum0 = hn::Zero(d);
        auto sum1 = hn::Zero(d);
        for (int j = 0; j < count; ++j) {
            const auto weight = hn::Set(d, own.weights[j]);
            sum0 = hn::MulAdd(weight, hn::LoadU(d, own.rows[j] + i), sum0);
            sum1 = hn::MulAdd(weight, hn::LoadU(d, own.rows[j] + i + lanes), sum1);
        }
        hn::Stream(sum0, d, to + i);
        hn::Stream(sum1, d, to + i + lanes);
    }
    for (; i < elements; i += lanes) {
        auto sum0 = hn::Zero(d);
        for (int j = 0; j < count; ++j) {
            sum0 = hn::MulAdd(hn::Set(d, own.weights[j]), hn::LoadU(d, own.rows[j] + i), sum0);
        }
        hn::Stream(sum0, d, to + i);
    }
}

// Both at once, so that rows are brought from the second cache for two results: it is what takes the time.
template <int count, typename T>
HWY_NOINLINE void stream_two_sums_of(const TwoSums<T>& sums, T* HWY_RESTRICT to, std::int64_t elements) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const TwoSums<T> own = sums;
    T* HWY_RESTRICT const second_to = to + own.apart;
    for (std::int64_t i = 0; i < elements; i += lanes) {
        auto sum0 = hn::Zero(d);
        auto sum1 = hn::Zero(d);
        for (int j = 0; j < count; ++j) {
            hwy::Prefetch(reinterpret_cast<const std::byte*>(own.first.rows[j] + i) + 2048);
            const auto sample = hn::LoadU(d, own.first.rows[j] + i);
            sum0 = hn::MulAdd(hn::Set(d, own.first.weights[j]), sample, sum0);
            sum1 = hn::MulAdd(hn::Set(d, own.second_weights[j]), sample, sum1);
        }
        hn::Stream(sum0, d, to + i);
        hn::Stream(sum1, d, second_to + i);
    }
}

// Calls visit(integral_constant of the count).
template <class Visit>
HWY_INLINE void with_row_count(int count, const Visit& visit) {
    switch (count) {
    case 0: return visit(std::integral_constant<int, 0>());
    case 1: return visit(std::integral_constant<int, 1>());
    case 2: return visit(std::integral_constant<int, 2>());
    case 3: return visit(std::integral_constant<int, 3>());
    case 4: return visit(std::integral_constant<int, 4>());
    case 5: return visit(std::integral_constant<int, 5>());
    default: return visit(std::integral_constant<int, 6>());
    }
}

template <typename T>
HWY_INLINE void sum_rows(const WeightedRows<T>& sum, T* to, std::int64_t elements) {
    with_row_count(sum.count, [&](auto count) HWY_ATTR { sum_rows_of<count.value>(sum, to, elements); });
}

template <typename T>
HWY_INLINE void sum_rows(const TwoSums<T>& sums, T* to, std::int64_t elements) {
    with_row_count(sums.first.count,
                   [&](auto count) HWY_ATTR { sum_rows_twice_of<count.value>(sums, to, elements); });
}

template <typename T>
HWY_INLINE void stream_rows(const WeightedRows<T>& sum, T* to, std::int64_t elements) {
    with_row_count(sum.count, [&](auto count) HWY_ATTR { stream_rows_of<count.value>(sum, to, elements); });
}

template <typename T>
HWY_INLINE void stream_two_sums(const TwoSums<T>& sums, T* to, std::int64_t elements) {
    with_row_count(sums.first.count,
                   [&](auto count) HWY_ATTR { stream_two_sums_of<count.value>(sums, to, elements); });
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
