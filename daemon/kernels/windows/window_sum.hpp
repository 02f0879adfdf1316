#pragma once

#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/windows/separable_window.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>

namespace slab::kernels {

// How a mean's window is summed up: the sum of 2^k samples is that of its two halves; a window of another length is made
// of such runs, the longest first, added up from the last one.
// sample(i): sample i of the window, or of a run that begins there.
template <typename T, class Sample>
T sum_of_run(std::int64_t begin, std::int64_t count, const Sample& sample) {
    return count == 1 ? sample(begin)
                      : sum_of_run<T>(begin, count / 2, sample) +
                            sum_of_run<T>(begin + count / 2, count / 2, sample);
}

template <typename T, class Sample>
T sum_of_window(std::int64_t taps, const Sample& sample) {
    std::int64_t end = taps;
    T sum{};
    for (std::uint64_t rest = static_cast<std::uint64_t>(taps); rest != 0; rest &= rest - 1) {
        const auto run = static_cast<std::int64_t>(rest & (~rest + 1));  // the shortest that is left
        const T part = sum_of_run<T>(end - run, run, sample);
        sum = end == taps ? part : part + sum;
        end -= run;
    }
    return sum;
}

// A window's weights in the working type. What rounding takes from their sum the middle one gets: an array of one value
// keeps it.
template <typename T>
void load_weights(const WindowAxis& window, std::span<const std::byte> table, T* to) {
    double lost = 0.0;
    for (std::int64_t i = 0; i < window.taps; ++i) {
        double weight = 0.0;
        std::memcpy(&weight, table.data() + window.weights + 8 * i, sizeof(weight));
        to[i] = static_cast<T>(weight);
        lost += weight - static_cast<double>(to[i]);
    }
    T& middle = to[window.taps / 2];
    middle = static_cast<T>(static_cast<double>(middle) + lost);
}

// As scipy's NI_Correlate1D. `taps` is odd.
template <typename T, class Weight, class Sample>
T weighted_sum(std::int64_t taps, Symmetry symmetry, const Weight& weight, const Sample& sample) {
    const std::int64_t middle = taps / 2;
    T sum = sample(middle) * weight(middle);
    for (std::int64_t i = 0; i < middle; ++i) {
        const T other = sample(taps - 1 - i);
        sum += (symmetry == Symmetry::even ? sample(i) + other : sample(i) - other) * weight(i);
    }
    return sum;
}

// Rounded, a bool is true from a half on.
template <typename T>
T rounded_bool(T value) {
    return value >= T(0.5) ? T(1) : T(0);
}

// A value as C casts it to the type, and back: cut off toward zero; what the type cannot hold wraps around, as scipy's
// results do. A bool is what is not 0 then.
template <typename Element, typename T>
T cut(T value) {
    if constexpr (std::is_same_v<Element, Bool>) {
        return value >= T(1) || value <= T(-1) ? T(1) : T(0);
    } else if constexpr (std::is_same_v<Element, std::uint64_t>) {
        constexpr T half = T(0x1p63);
        return value >= half ? (value < 2 * half ? std::trunc(value) : T(0))
                             : static_cast<T>(static_cast<std::uint64_t>(
                                   value > -half ? static_cast<std::int64_t>(value) : std::int64_t{0}));
    } else if constexpr (std::is_integral_v<Element>) {
        const bool is_whole = value > T(-0x1p63) && value < T(0x1p63);  // and no NaN
        return static_cast<T>(static_cast<Element>(is_whole ? static_cast<std::int64_t>(value) : 0));
    } else {
        return value;
    }
}

}  // namespace slab::kernels
