#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace slab::kernels::realign {
namespace {

constexpr std::int64_t most_radius = static_cast<std::int64_t>(4.0 * widest_sigma + 0.5);
constexpr std::int64_t lines_at_once = 64;

// Narrower than this a Gaussian is its middle weight alone.
bool has_neighbours(double sigma) {
    return sigma > 0.0 && 4.0 * sigma + 0.5 >= 1.0;
}

// w[0], w[1], ... w[radius], of sum 1 with their mirror images.
struct GaussianWeights {
    explicit GaussianWeights(double sigma)
        : radius(std::min(most_radius, static_cast<std::int64_t>(4.0 * sigma + 0.5))) {
        std::array<double, most_radius + 1> exact{};
        double sum = 0.0;
        for (std::int64_t t = 0; t <= radius; ++t) {
            const double at = static_cast<double>(t) / sigma;
            const double weight = std::exp(-0.5 * at * at);
            exact[static_cast<std::size_t>(t)] = weight;
            sum += t == 0 ? weight : 2.0 * weight;
        }
        for (std::size_t t = 0; t < weights.size(); ++t) {
            weights[t] = static_cast<float>(exact[t] / sum);
        }
    }

    std::int64_t radius;
    std::array<float, most_radius + 1> weights{};
};

// A volume along one axis: lines of `n` elements, `inner` of them side by side, `outer` such sets.
struct AxisLines {
    std::int64_t outer = 1;
    std::int64_t n = 1;
    std::int64_t inner = 1;
};

AxisLines lines_along(const Extents& extents, std::size_t axis) {
    AxisLines lines;
    for (std::size_t a = 0; a < 3; ++a) {
        (a < axis ? lines.outer : a == axis ? lines.n : lines.inner) *= extents[a];
    }
    return lines;
}

// Symmetric weights w[0], w[1], ... w[radius].
void weigh_along(const float* from, const AxisLines& lines, const float* weights, std::int64_t radius,
                 float* to) {
    const auto clamped = [&](std::int64_t i) { return std::clamp<std::int64_t>(i, 0, lines.n - 1); };
    for (std::int64_t o = 0; o < lines.outer; ++o) {
        const float* const set = from + o * lines.n * lines.inner;
        float* const result = to + o * lines.n * lines.inner;
        if (lines.inner == 1) {
            for (std::int64_t i = 0; i < lines.n; ++i) {
                float sum = weights[0] * set[i];
                const bool is_inner = i >= radius && i + radius < lines.n;
                for (std::int64_t t = 1; t <= radius; ++t) {
                    sum += weights[t] *
                           (is_inner ? set[i - t] + set[i + t] : set[clamped(i - t)] + set[clamped(i + t)]);
                }
                result[i] = sum;
            }
            continue;
        }
        for (std::int64_t i = 0; i < lines.n; ++i) {
            float* const row = result + i * lines.inner;
            const float* const middle = set + i * lines.inner;
            for (std::int64_t x = 0; x < lines.inner; ++x) {
                row[x] = weights[0] * middle[x];
            }
            for (std::int64_t t = 1; t <= radius; ++t) {
                const float* const before = set + clamped(i - t) * lines.inner;
                const float* const after = set + clamped(i + t) * lines.inner;
                const float weight = weights[t];
                for (std::int64_t x = 0; x < lines.inner; ++x) {
                    row[x] += weight * (before[x] + after[x]);
                }
            }
        }
    }
}

// One axis after the other, between two buffers, so that the last result is in `to`.
template <class Weigh>
void along_each_axis(const float* from, std::int64_t count, const std::array<bool, 3>& takes_part, float* to,
                     float* other, const Weigh& weigh) {
    int rest = 0;
    for (const bool takes : takes_part) {
        rest += takes ? 1 : 0;
    }
    if (rest == 0) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
        return;
    }
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (!takes_part[axis]) {
            continue;
        }
        --rest;
        float* const target = rest % 2 == 0 ? to : other;
        weigh(from, axis, target);
        from = target;
    }
}

}  // namespace

void blur(const float* from, const Extents& extents, const std::array<double, 3>& sigma, float* to,
          float* other) {
    std::array<bool, 3> takes_part{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        takes_part[axis] = has_neighbours(sigma[axis]);
    }
    along_each_axis(from, extents[0] * extents[1] * extents[2], takes_part, to, other,
                    [&](const float* source, std::size_t axis, float* target) {
                        const GaussianWeights gaussian(sigma[axis]);
                        weigh_along(source, lines_along(extents, axis), gaussian.weights.data(),
                                    gaussian.radius, target);
                    });
}

void blur_in_place(float* voxels, const Extents& extents, const std::array<std::int64_t, 2>& steps,
                   const std::array<double, 3>& sigma, float* scratch) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (!has_neighbours(sigma[axis])) {
            continue;
        }
        const GaussianWeights gaussian(sigma[axis]);
        const bool is_along_x = axis == 2;
        const std::int64_t n = extents[axis];
        const std::int64_t step = is_along_x ? 1 : steps[axis];
        const std::size_t across = axis == 0 ? 1 : 0;  // the other of the slow axes
        const std::int64_t most = is_along_x ? 1 : lines_at_once;
        const AxisLines lines{1, n, most};
        float* const result = scratch + n * most;
        for (std::int64_t other = 0; other < extents[across] * (is_along_x ? extents[1] : 1); ++other) {
            float* const set = is_along_x
                                   ? voxels + other / extents[1] * steps[0] + other % extents[1] * steps[1]
                                   : voxels + other * steps[across];
            for (std::int64_t x = 0; x < (is_along_x ? 1 : extents[2]); x += most) {
                const std::int64_t width = is_along_x ? 1 : std::min(most, extents[2] - x);
                for (std::int64_t i = 0; i < n; ++i) {
                    std::copy_n(set + i * step + x, width, scratch + i * most);
                    std::fill_n(scratch + i * most + width, most - width, 0.0F);
                }
                weigh_along(scratch, lines, gaussian.weights.data(), gaussian.radius, result);
                for (std::int64_t i = 0; i < n; ++i) {
                    std::copy_n(result + i * most, width, set + i * step + x);
                }
            }
        }
    }
}

void take_block_means(const float* from, const Extents& extents, const Extents& factors, float* to) {
    const Extents n{extents[0] / factors[0], extents[1] / factors[1], extents[2] / factors[2]};
    const double share = 1.0 / static_cast<double>(factors[0] * factors[1] * factors[2]);
    for (std::int64_t z = 0; z < n[0]; ++z) {
        for (std::int64_t y = 0; y < n[1]; ++y) {
            for (std::int64_t x = 0; x < n[2]; ++x) {
                double sum = 0.0;
                for (std::int64_t k = 0; k < factors[0]; ++k) {
                    for (std::int64_t j = 0; j < factors[1]; ++j) {
                        const float* const row =
                            from + ((z * factors[0] + k) * extents[1] + y * factors[1] + j) * extents[2] +
                            x * factors[2];
                        for (std::int64_t i = 0; i < factors[2]; ++i) {
                            sum += static_cast<double>(row[i]);
                        }
                    }
                }
                *to++ = static_cast<float>(sum * share);
            }
        }
    }
}

void smooth_binomially(const float* from, const Extents& extents, float* to, float* other) {
    constexpr std::array weights{0.5F, 0.25F};
    along_each_axis(from, extents[0] * extents[1] * extents[2],
                    {extents[0] > 2, extents[1] > 2, extents[2] > 2}, to, other,
                    [&](const float* source, std::size_t axis, float* target) {
                        weigh_along(source, lines_along(extents, axis), weights.data(), 1, target);
                    });
}

void take_difference(const float* from, const Extents& extents, std::size_t axis, float* to) {
    const AxisLines lines = lines_along(extents, axis);
    for (std::int64_t o = 0; o < lines.outer; ++o) {
        for (std::int64_t i = 0; i < lines.n; ++i) {
            const std::int64_t before = std::max<std::int64_t>(i - 1, 0);
            const std::int64_t after = std::min(i + 1, lines.n - 1);
            const float scale = after > before ? 1.0F / static_cast<float>(after - before) : 0.0F;
            const float* const low = from + (o * lines.n + before) * lines.inner;
            const float* const high = from + (o * lines.n + after) * lines.inner;
            float* const row = to + (o * lines.n + i) * lines.inner;
            for (std::int64_t x = 0; x < lines.inner; ++x) {
                row[x] = (high[x] - low[x]) * scale;
            }
        }
    }
}

}  // namespace slab::kernels::realign
