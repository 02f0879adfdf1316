// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h), as voxel_loops_inl.hpp.
#if defined(SLAB_REALIGN_FILTER_LOOPS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_REALIGN_FILTER_LOOPS
#undef SLAB_REALIGN_FILTER_LOOPS
#else
#define SLAB_REALIGN_FILTER_LOOPS
#endif

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::realign {
namespace HWY_NAMESPACE {

// Elements whose sums stay in registers while the taps go by.
inline constexpr std::int64_t filter_lanes = 16;
inline constexpr std::size_t filter_vectors = 4;
using FilterLanes [[gnu::vector_size(64)]] = float;
static_assert(sizeof(FilterLanes) == filter_lanes * sizeof(float));

HWY_INLINE void add_lanes(const float* from, float weight, FilterLanes& sum) {
    FilterLanes lanes;
    std::memcpy(&lanes, from, sizeof(lanes));
    sum += weight * lanes;
}

// tap(t): where the taps of the first element begin.
template <class Tap>
HWY_INLINE void weigh_taps(std::size_t taps, const float* weights, std::int64_t count, float* to,
                           const Tap& tap) {
    constexpr std::int64_t at_once = filter_lanes * static_cast<std::int64_t>(filter_vectors);
    std::int64_t x = 0;
    for (; x + at_once <= count; x += at_once) {
        FilterLanes sums[filter_vectors] = {};
        for (std::size_t t = 0; t < taps; ++t) {
            const float* const from = tap(t) + x;
            for (std::size_t v = 0; v < filter_vectors; ++v) {
                add_lanes(from + static_cast<std::int64_t>(v) * filter_lanes, weights[t], sums[v]);
            }
        }
        std::memcpy(to + x, sums, sizeof(sums));
    }
    for (; x + filter_lanes <= count; x += filter_lanes) {
        FilterLanes sum = {};
        for (std::size_t t = 0; t < taps; ++t) {
            add_lanes(tap(t) + x, weights[t], sum);
        }
        std::memcpy(to + x, &sum, sizeof(sum));
    }
    for (; x < count; ++x) {
        float sum = 0.0F;
        for (std::size_t t = 0; t < taps; ++t) {
            sum += weights[t] * tap(t)[x];
        }
        to[x] = sum;
    }
}

void weigh_rows_of(std::span<const float* const> rows, const float* weights, std::int64_t count, float* to) {
    weigh_taps(rows.size(), weights, count, to, [&](std::size_t t) HWY_ATTR { return rows[t]; });
}

void weigh_neighbours_of(const float* from, std::span<const float> weights, std::int64_t count, float* to) {
    weigh_taps(weights.size(), weights.data(), count, to, [&](std::size_t t) HWY_ATTR { return from + t; });
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::realign
HWY_AFTER_NAMESPACE();

#endif
