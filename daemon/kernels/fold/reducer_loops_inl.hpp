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

// Element i of a run goes to lane i % 16, whatever vectors there are: part of the result's definition.
inline constexpr std::int64_t lanes = 16;

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
    for (std::size_t half = lanes / 2; half > 0; half /= 2) {
        for (std::size_t j = 0; j < half; ++j) {
            lane[j] = join(lane[j], lane[j + half]);
        }
    }
    return lane[0];
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
    const auto choose = [](T x, T y) { return Choice::apply(x, y); };
    const T best = gathered_lanes<T, T>(values, count, worst<Choice, T>(), choose, choose);
    auto& known = state_at<Reducer>(state, 0);
    const bool may_win = is_nan(best) || !(is_nan(known.value) || Reducer::is_better(known.value, best));
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
