#include "daemon/kernels/gaussian/gaussian_weights.hpp"

#include <cmath>

namespace slab::kernels {

// With p(x) = exp(-x^2 / (2 sigma^2)): p' = -x / sigma^2 p, p'' = (x^2 / sigma^4 - 1 / sigma^2) p. A sum of samples times
// weights mirrors them, so the first derivative changes its sign.
std::vector<double> gaussian_weights(double sigma, int derivative, std::int64_t radius) {
    const double variance = sigma * sigma;
    std::vector<double> weights;
    double sum = 0.0;
    for (std::int64_t i = -radius; i <= radius; ++i) {
        const auto x = static_cast<double>(i);
        weights.push_back(i == 0 ? 1.0 : std::exp(-0.5 / variance * x * x));
        sum += weights.back();
    }
    for (std::int64_t i = -radius; i <= radius; ++i) {
        const auto x = static_cast<double>(i);
        double& weight = weights[static_cast<std::size_t>(i + radius)];
        weight /= sum;
        if (derivative == 1) {
            weight *= x / variance;
        } else if (derivative == 2) {
            weight *= x * x / (variance * variance) - 1.0 / variance;
        }
    }
    return weights;
}

}  // namespace slab::kernels
