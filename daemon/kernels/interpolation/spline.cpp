#include "daemon/kernels/interpolation/spline.hpp"

#include <cmath>
#include <span>

namespace slab::kernels {
namespace {

// The centred B-spline of the order at distance x >= 0.
double b_spline(int order, double x) {
    const auto power = [](double base, int exponent) {
        double product = 1.0;
        for (int i = 0; i < exponent; ++i) {
            product *= base;
        }
        return product;
    };
    // Each piece is a sum of positive parts of (half-width - x)^order with alternating binomials.
    switch (order) {
    case 1: return x < 1.0 ? 1.0 - x : 0.0;
    case 2: return x < 0.5 ? 0.75 - x * x : x < 1.5 ? 0.5 * power(1.5 - x, 2) : 0.0;
    case 3: return x < 1.0 ? (4.0 + 3.0 * x * x * (x - 2.0)) / 6.0 : x < 2.0 ? power(2.0 - x, 3) / 6.0 : 0.0;
    case 4: {
        const double t = x * x;
        if (x < 0.5) {
            return t * (t * 0.25 - 0.625) + 115.0 / 192.0;
        }
        if (x < 1.5) {
            return x * (x * (x * (5.0 - x) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0;
        }
        return x < 2.5 ? power(2.5 - x, 4) / 24.0 : 0.0;
    }
    case 5: {
        const double t = x * x;
        if (x < 1.0) {
            return t * (t * (0.25 - x / 12.0) - 0.5) + 0.55;
        }
        if (x < 2.0) {
            return x * (x * (x * (x * (x / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425;
        }
        return x < 3.0 ? power(3.0 - x, 5) / 120.0 : 0.0;
    }
    default: return x <= 0.5 ? 1.0 : 0.0;
    }
}

std::span<const double> poles_of(int order) {
    static const std::array order_2{std::sqrt(8.0) - 3.0};
    static const std::array order_3{std::sqrt(3.0) - 2.0};
    static const std::array order_4{std::sqrt(664.0 - std::sqrt(438976.0)) + std::sqrt(304.0) - 19.0,
                                    std::sqrt(664.0 + std::sqrt(438976.0)) - std::sqrt(304.0) - 19.0};
    static const std::array order_5{std::sqrt(67.5 - std::sqrt(4436.25)) + std::sqrt(26.25) - 6.5,
                                    std::sqrt(67.5 + std::sqrt(4436.25)) - std::sqrt(26.25) - 6.5};
    switch (order) {
    case 2: return order_2;
    case 3: return order_3;
    case 4: return order_4;
    case 5: return order_5;
    default: return {};
    }
}

}  // namespace

SplineTaps spline_taps(double coordinate, int order) {
    SplineTaps taps;
    const double middle = order % 2 == 1 ? std::floor(coordinate) : std::floor(coordinate + 0.5);
    const int taps_before = order / 2;
    taps.first = static_cast<std::int64_t>(middle) - taps_before;
    if (order == 0) {
        taps.weights[0] = 1.0;
        return taps;
    }
    const double offset = coordinate - middle;  // [0, 1) for odd orders, [-0.5, 0.5] for even ones
    double rest = 1.0;
    for (int tap = 0; tap < order; ++tap) {
        const double weight = b_spline(order, std::abs(offset - static_cast<double>(tap - taps_before)));
        taps.weights[static_cast<std::size_t>(tap)] = weight;
        rest -= weight;
    }
    taps.weights[static_cast<std::size_t>(order)] = rest;  // the sum is 1, as scipy makes it
    return taps;
}

std::vector<double> prefilter_taps(int order, double error, std::int64_t least_radius) {
    const std::span<const double> poles = poles_of(order);
    if (poles.empty()) {
        return {1.0};
    }
    // The filter is gain / prod (1 - z_k x)(1 - z_k / x); by partial fractions each pole gives c_k z_k^|i|.
    double gain = 1.0;
    for (const double z : poles) {
        gain *= (1.0 - z) * (1.0 - z);
    }
    std::vector<double> factors;
    for (const double z : poles) {
        double factor = gain / (1.0 - z * z);
        for (const double other : poles) {
            if (other != z) {
                factor /= (1.0 - other * z) * (1.0 - other / z);
            }
        }
        factors.push_back(factor);
    }
    std::vector<double> taps;
    for (int i = 0;; ++i) {
        double tap = 0.0;
        double left_out = 0.0;
        for (std::size_t k = 0; k < poles.size(); ++k) {
            tap += factors[k] * std::pow(poles[k], i);
            left_out += 2.0 * std::abs(factors[k] * std::pow(poles[k], i)) / (1.0 - std::abs(poles[k]));
        }
        if (left_out < error && i > least_radius) {
            return taps;
        }
        taps.push_back(tap);
    }
}

std::optional<std::int64_t> prefilter_index(std::int64_t index, std::int64_t n, Boundary boundary) {
    const std::int64_t padding = coefficient_padding(boundary);
    if (padding == 0) {
        return map_index(index, n, boundary);
    }
    const Boundary beyond = boundary == Boundary::nearest ? Boundary::reflect : Boundary::mirror;
    const std::int64_t padded = *map_index(index + padding, n + 2 * padding, beyond) - padding;
    return map_index(padded, n, boundary);
}

}  // namespace slab::kernels
