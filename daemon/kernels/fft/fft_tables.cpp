#include "daemon/kernels/fft/fft_program.hpp"

#include <cmath>
#include <complex>
#include <cstring>
#include <numbers>
#include <utility>
#include <vector>

namespace slab::kernels {
namespace {

using Complex = std::complex<double>;

// exp(-2 pi i k / n), rounded once: the angle is taken within the first octant.
Complex root(std::int64_t k, std::int64_t n) {
    k %= n;
    const auto angle = [n](std::int64_t eighths_of_k) {
        return std::numbers::pi_v<long double> / 4 * static_cast<long double>(eighths_of_k) /
               static_cast<long double>(n);
    };
    const std::int64_t octant = 8 * k / n;
    const std::int64_t rest = 8 * k - octant * n;  // eighths of a turn times n, beyond the octant
    const long double c = std::cos(octant % 2 == 0 ? angle(rest) : angle(n - rest));
    const long double s = std::sin(octant % 2 == 0 ? angle(rest) : angle(n - rest));
    const auto low = static_cast<double>(c);
    const auto high = static_cast<double>(s);
    switch (octant) {
    case 0: return {low, -high};
    case 1: return {high, -low};
    case 2: return {-high, -low};
    case 3: return {-low, -high};
    case 4: return {-low, high};
    case 5: return {-high, low};
    case 6: return {high, low};
    default: return {low, high};
    }
}

// Of a power of two elements, in place, unscaled.
void transform(std::vector<Complex>& values) {
    const std::size_t n = values.size();
    for (std::size_t i = 1, j = 0; i < n; ++i) {
        std::size_t bit = n >> 1;
        for (; (j & bit) != 0; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            std::swap(values[i], values[j]);
        }
    }
    std::vector<Complex> roots(n / 2);
    for (std::size_t k = 0; k < n / 2; ++k) {
        roots[k] = root(static_cast<std::int64_t>(k), static_cast<std::int64_t>(n));
    }
    for (std::size_t length = 2; length <= n; length *= 2) {
        for (std::size_t begin = 0; begin < n; begin += length) {
            for (std::size_t k = 0; k < length / 2; ++k) {
                const Complex a = values[begin + k];
                const Complex b = values[begin + k + length / 2] * roots[k * (n / length)];
                values[begin + k] = a + b;
                values[begin + k + length / 2] = a - b;
            }
        }
    }
}

void append(std::vector<std::byte>& table, bool is_double, Complex value) {
    const auto add = [&table](const auto& part) {
        const auto* bytes = reinterpret_cast<const std::byte*>(&part);
        table.insert(table.end(), bytes, bytes + sizeof(part));
    };
    if (is_double) {
        add(value.real());
        add(value.imag());
    } else {
        add(static_cast<float>(value.real()));
        add(static_cast<float>(value.imag()));
    }
}

}  // namespace

bool factorize(std::int64_t length, FftFactors& factors) {
    factors.count = 0;
    const auto take = [&](std::int64_t factor) {
        for (; length % factor == 0; length /= factor) {
            factors.factor[factors.count++] = static_cast<std::uint8_t>(factor);
        }
    };
    take(4);
    for (std::int64_t prime = 2; prime <= most_direct_factor; ++prime) {
        take(prime);
    }
    return length == 1;
}

std::int64_t convolution_length(std::int64_t length) {
    FftFactors factors;
    if (factorize(length, factors)) {
        return 0;
    }
    std::int64_t padded = 1;
    while (padded / 2 < length) {  // at least 2 length - 1
        padded *= 2;
    }
    return padded;
}

void append_fft_table(FftPhase& phase, bool is_double, std::vector<std::byte>& table) {
    phase.table_begin = static_cast<std::int64_t>(table.size());
    const std::int64_t length = phase.transform_length();
    for (std::int64_t k = 0; k < length; ++k) {
        append(table, is_double, root(k, length));
    }
    if (phase.padded != 0) {
        // exp(-pi i k^2 / n); the square modulo 2n, by steps, so that it stays small.
        std::vector<Complex> chirp;
        std::int64_t square = 0;
        for (std::int64_t k = 0; k < phase.core; ++k) {
            chirp.push_back(root(square, 2 * phase.core));
            square = (square + 2 * k + 1) % (2 * phase.core);
        }
        std::vector<Complex> extended(static_cast<std::size_t>(length));
        for (std::size_t k = 0; k < chirp.size(); ++k) {
            append(table, is_double, chirp[k]);
            extended[k] = std::conj(chirp[k]);
            extended[(extended.size() - k) % extended.size()] = std::conj(chirp[k]);
        }
        transform(extended);
        for (const Complex& value : extended) {
            append(table, is_double, value / static_cast<double>(length));
        }
    }
    if (phase.halves()) {
        for (std::int64_t k = 0; k <= phase.core; ++k) {
            append(table, is_double, root(k, phase.n));
        }
    }
}

}  // namespace slab::kernels
