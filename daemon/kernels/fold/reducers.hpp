#pragma once

#include "daemon/kernels/expression/binary_operations.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>

// How values gather, one class a reduction. A State is what a partial result is: 8-byte numbers, in the volume between
// phases. Values are double, int64, uint64 or complex<double>, whatever the array's type.
namespace slab::kernels::fold {

using Complex = std::complex<double>;
using expression::is_complex_type;
using expression::is_nan;

// A sum and what its additions rounded off. Knuth, The Art of Computer Programming 2, 4.2.2, theorem B (two-sum).
struct CompensatedSum {
    double sum = 0.0;
    double rounded_off = 0.0;

    void add(double value) {
        const double total = sum + value;
        const double added = total - sum;
        rounded_off += (sum - (total - added)) + (value - added);
        sum = total;
    }
    void add(const CompensatedSum& other) {
        add(other.sum);
        rounded_off += other.rounded_off;
    }
    // Beside an infinity what was rounded off is none.
    double value() const {
        return std::abs(sum) <= std::numeric_limits<double>::max() ? sum + rounded_off : sum;
    }
};

template <typename T>
struct Sum;

template <>
struct Sum<double> {
    using Value = double;
    using State = CompensatedSum;
    using Lane = double;
    static constexpr Lane lane() { return 0.0; }
    static Lane gather(Lane x, Value y) { return x + y; }
    static void add_lane(State& state, Lane lane, std::int64_t) { state.add(lane); }
    static void add(State& state, Value value) { state.add(value); }
    static void combine(State& state, const State& later) { state.add(later); }
};

template <>
struct Sum<std::int64_t> {
    using Value = std::uint64_t;  // the bits of either: it wraps around
    struct State {
        std::uint64_t sum = 0;
    };
    using Lane = std::uint64_t;
    static constexpr Lane lane() { return 0; }
    static Lane gather(Lane x, Value y) { return x + y; }
    static void add_lane(State& state, Lane lane, std::int64_t) { state.sum += lane; }
    static void add(State& state, Value value) { state.sum += value; }
    static void combine(State& state, const State& later) { state.sum += later.sum; }
};

template <>
struct Sum<Complex> {
    using Value = Complex;
    struct State {
        CompensatedSum real;
        CompensatedSum imaginary;
    };
    using Lane = Complex;
    static constexpr Lane lane() { return {}; }
    static Lane gather(Lane x, Value y) { return x + y; }
    static void add_lane(State& state, Lane lane, std::int64_t) { add(state, lane); }
    static void add(State& state, Value value) {
        state.real.add(value.real());
        state.imaginary.add(value.imag());
    }
    static void combine(State& state, const State& later) {
        state.real.add(later.real);
        state.imaginary.add(later.imaginary);
    }
};

template <typename T>
struct Product {
    using Value = T;
    struct State {
        T product = T(1);
    };
    using Lane = T;
    static constexpr Lane lane() { return T(1); }
    static Lane gather(Lane x, Value y) { return expression::Multiply::apply(x, y); }
    static void add_lane(State& state, Lane lane, std::int64_t) { add(state, lane); }
    static void add(State& state, Value value) { state.product = gather(state.product, value); }
    static void combine(State& state, const State& later) { add(state, later.product); }
};

// The value that loses against all others.
template <class Choice, typename T>
constexpr T worst() {
    constexpr bool is_least = std::is_same_v<Choice, expression::Minimum>;
    if constexpr (std::integral<T>) {
        return is_least ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
    } else {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        constexpr double end = is_least ? infinity : -infinity;
        if constexpr (is_complex_type<T>) {
            return {end, end};
        } else {
            return end;
        }
    }
}

template <class Choice, typename T>
inline bool is_better(T x, T than) {
    return std::is_same_v<Choice, expression::Minimum> ? expression::comes_before(x, than)
                                                       : expression::comes_before(than, x);
}

// A NaN stays until the next one. Without a short circuit, so that it becomes a vector's choice.
template <class Choice, typename T>
inline T better(T x, T y) {
    const bool takes = static_cast<int>(is_better<Choice>(y, x)) | static_cast<int>(is_nan(y));
    return takes ? y : x;
}

// The least or the largest; a NaN if there is one.
template <class Choice, typename T>
struct Extreme {
    using Value = T;
    struct State {
        T value = worst<Choice, T>();
    };
    static void add(State& state, Value value) { state.value = better<Choice>(state.value, value); }
    static void combine(State& state, const State& later) { add(state, later.value); }
};

// Where the first of them is, in the order of the user's indices; the first NaN if there is one.
template <class Choice, typename T>
struct ExtremeIndex {
    using Value = T;
    struct State {
        T value = worst<Choice, T>();
        std::int64_t index = std::numeric_limits<std::int64_t>::max();
    };
    static void add(State& state, Value value, std::int64_t index) {
        const bool is_earlier = index < state.index;
        const bool wins = is_nan(state.value) ? is_nan(value) && is_earlier
                                              : is_nan(value) || is_better<Choice>(value, state.value) ||
                                                    (value == state.value && is_earlier);
        if (wins) {
            state = {value, index};
        }
    }
    static void combine(State& state, const State& later) { add(state, later.value, later.index); }
};

// Count, mean and the sum of squared distances from it, updated and combined as in T. F. Chan, G. H. Golub, R. J. LeVeque,
// Updating formulae and a pairwise algorithm for computing sample variances, Stanford STAN-CS-79-773 (1979), eq. 2.1. The
// mean is the first value plus an offset: far from zero one number would not hold it well enough.
template <typename T>
struct Moments {
    using Value = T;
    struct State {
        double count = 0.0;
        T first = T(0);
        T offset = T(0);
        double squares = 0.0;
    };
    static double product(T x, T y) {
        if constexpr (is_complex_type<T>) {
            return x.real() * y.real() + x.imag() * y.imag();
        } else {
            return x * y;
        }
    }
    static void add(State& state, Value value) {
        state.first = state.count == 0.0 ? value : state.first;
        state.count += 1.0;
        const T from_first = value - state.first;
        const T distance = from_first - state.offset;
        state.offset += distance / state.count;
        state.squares += product(distance, from_first - state.offset);
    }
    static void combine(State& state, const State& later) {
        if (state.count == 0.0) {
            state = later;
            return;
        }
        const double count = state.count + later.count;
        const T distance = (later.first - state.first) + (later.offset - state.offset);
        state.offset += distance * (later.count / count);
        state.squares += later.squares + product(distance, distance) * (state.count * (later.count / count));
        state.count = count;
    }
};

}  // namespace slab::kernels::fold
