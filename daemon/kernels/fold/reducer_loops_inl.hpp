// Compiled once per instruction set, and once more for the definition: no ordinary guard (see hwy/foreach_target.h).
// SLAB_REDUCER_LOOPS names the namespace.
#if defined(SLAB_FOLD_REDUCER_LOOPS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_FOLD_REDUCER_LOOPS
#undef SLAB_FOLD_REDUCER_LOOPS
#else
#define SLAB_FOLD_REDUCER_LOOPS
#endif

namespace slab::kernels::fold {
namespace SLAB_REDUCER_LOOPS {

inline constexpr std::int64_t lanes = lanes_of_run;

// Halves on halves, each of a length that the compiler knows.
template <std::size_t used, typename Lane, class Join>
Lane joined_halves(std::array<Lane, lanes>& lane, const Join join) {
    if constexpr (used > 1) {
        for (std::size_t j = 0; j < used / 2; ++j) {
            lane[j] = join(lane[j], lane[j + used / 2]);
        }
        return joined_halves<used / 2>(lane, join);
    }
    return lane[0];
}

// Of a short run most lanes are empty, which changes nothing.
template <typename Lane, class Join>
Lane joined(std::array<Lane, lanes>& lane, std::int64_t count, const Join join) {
    if (count > lanes / 2) {
        return joined_halves<lanes>(lane, join);
    }
    const std::size_t used = std::bit_ceil(static_cast<std::size_t>(count));
    for (std::size_t half = used / 2; half > 0; half /= 2) {
        for (std::size_t j = 0; j < half; ++j) {
            lane[j] = join(lane[j], lane[j + half]);
        }
    }
    return lane[0];
}

template <typename Lane, typename Value, class Gather, class Join>
Lane gathered_lanes(const std::byte* values, std::int64_t count, Lane empty, const Gather gather,
                    const Join join) {
    std::array<Lane, lanes> lane;
    lane.fill(empty);
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (std::int64_t j = 0; j < lanes; ++j) {
            Lane& one = lane[static_cast<std::size_t>(j)];
            one = gather(one, expression::element_at<Value>(values, i + j));
        }
    }
    for (std::int64_t j = 0; i + j < count; ++j) {
        Lane& one = lane[static_cast<std::size_t>(j)];
        one = gather(one, expression::element_at<Value>(values, i + j));
    }
    return joined(lane, count, join);
}

// As gathered_lanes with better<Choice>; written in vectors, because the compiler makes branches of it.
template <class Choice, typename T>
T extreme_of(const std::byte* values, std::int64_t count) {
    const auto choose = [](T x, T y) { return better<Choice>(x, y); };
    if constexpr (is_complex_type<T>) {
        return gathered_lanes<T, T>(values, count, worst<Choice, T>(), choose, choose);
    } else {
        using Vector [[gnu::vector_size(32)]] = T;
        constexpr std::int64_t of_vector = sizeof(Vector) / sizeof(T);
        std::array<T, lanes> lane;
        lane.fill(worst<Choice, T>());
        constexpr std::size_t vectors = lanes / of_vector;
        Vector best[vectors];
        std::memcpy(&best, &lane, sizeof(lane));
        std::int64_t i = 0;
        for (; i + lanes <= count; i += lanes) {
            for (std::size_t j = 0; j < vectors; ++j) {
                Vector value;
                std::memcpy(&value, values + i * 8 + static_cast<std::int64_t>(j * sizeof(Vector)),
                            sizeof(value));
                auto takes = std::is_same_v<Choice, expression::Minimum> ? value < best[j] : value > best[j];
                if constexpr (std::floating_point<T>) {
                    takes |= value != value;
                }
                best[j] = takes ? value : best[j];
            }
        }
        std::memcpy(&lane, &best, sizeof(lane));
        for (std::int64_t j = 0; i + j < count; ++j) {
            T& one = lane[static_cast<std::size_t>(j)];
            one = choose(one, expression::element_at<T>(values, i + j));
        }
        return joined(lane, count, choose);
    }
}

template <class Reducer>
typename Reducer::State& state_at(std::byte* states, std::int64_t index) {
    return reinterpret_cast<typename Reducer::State*>(states)[index];
}

// A run of values into one state.
template <class Reducer>
void run(std::byte* state, const std::byte* values, std::int64_t count, std::int64_t, std::int64_t) {
    const auto gather = [](auto x, auto y) { return Reducer::gather(x, y); };
    const auto lane = gathered_lanes<typename Reducer::Lane, typename Reducer::Value>(
        values, count, Reducer::lane(), gather, gather);
    Reducer::add_lane(state_at<Reducer>(state, 0), lane, count);
}

template <class Choice, typename T>
void extreme_run(std::byte* state, const std::byte* values, std::int64_t count, std::int64_t, std::int64_t) {
    using Reducer = Extreme<Choice, T>;
    Reducer::add(state_at<Reducer>(state, 0), extreme_of<Choice, T>(values, count));
}

// One value into each state.
template <class Reducer>
void columns(std::byte* states, const std::byte* values, std::int64_t count, std::int64_t) {
    for (std::int64_t i = 0; i < count; ++i) {
        Reducer::add(state_at<Reducer>(states, i),
                     expression::element_at<typename Reducer::Value>(values, i));
    }
}

// The block's own mean first, then the distances from it.
template <typename T>
void moments_run(std::byte* state, const std::byte* values, std::int64_t count, std::int64_t, std::int64_t) {
    const auto n = static_cast<double>(count);
    const T first = expression::element_at<T>(values, 0);
    const T offset = gathered_lanes<T, T>(
                         values, count, T(0), [first](T x, T y) { return x + (y - first); },
                         [](T x, T y) { return x + y; }) /
                     n;
    const double squares = gathered_lanes<double, T>(
        values, count, 0.0,
        [first, offset](double x, T y) {
            const T distance = (y - first) - offset;
            return x + Moments<T>::product(distance, distance);
        },
        [](double x, double y) { return x + y; });
    Moments<T>::combine(state_at<Moments<T>>(state, 0), {n, first, offset, squares});
}

// Only a block that holds a better value is searched for its place.
template <class Choice, typename T>
void index_run(std::byte* state, const std::byte* values, std::int64_t count, std::int64_t index,
               std::int64_t step) {
    using Reducer = ExtremeIndex<Choice, T>;
    const T best = extreme_of<Choice, T>(values, count);
    auto& known = state_at<Reducer>(state, 0);
    const bool is_new = !is_nan(known.value) && (is_nan(best) || is_better<Choice>(best, known.value));
    const bool is_equal = best == known.value || (is_nan(best) && is_nan(known.value));
    const bool may_win = is_new || (is_equal && index < known.index);
    for (std::int64_t i = 0; may_win && i < count; ++i) {
        const T value = expression::element_at<T>(values, i);
        if (value == best || is_nan(value)) {
            Reducer::add(known, value, index + i * step);
            return;
        }
    }
}

template <class Choice, typename T>
void index_columns(std::byte* states, const std::byte* values, std::int64_t count, std::int64_t index) {
    using Reducer = ExtremeIndex<Choice, T>;
    for (std::int64_t i = 0; i < count; ++i) {
        Reducer::add(state_at<Reducer>(states, i), expression::element_at<T>(values, i), index);
    }
}

}  // namespace SLAB_REDUCER_LOOPS
}  // namespace slab::kernels::fold

#endif
