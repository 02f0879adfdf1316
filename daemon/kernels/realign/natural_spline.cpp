#include "daemon/kernels/realign/natural_spline.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace slab::kernels::realign {
namespace {

constexpr std::int64_t lines_at_once = 32;

// Factors of the elimination: they do not depend on the samples, and settle within a few of them.
void find_factors(std::int64_t n, float* factors) {
    double factor = 0.0;  // of the row before, whose unknown is known
    for (std::int64_t i = 1; i + 1 < n; ++i) {
        factor = 1.0 / (4.0 - factor);
        factors[i] = static_cast<float>(factor);
    }
}

// `count` lines side by side, `pitch` apart along the axis: n samples become coefficients.
void solve_lines(float* lines, std::int64_t n, std::int64_t pitch, std::int64_t count, const float* factors) {
    for (std::int64_t i = 1; i + 1 < n; ++i) {
        const float factor = factors[i];
        float* const row = lines + i * pitch;
        const float* const before = row - pitch;
        for (std::int64_t x = 0; x < count; ++x) {
            row[x] = (6.0F * row[x] - before[x]) * factor;
        }
    }
    for (std::int64_t i = n - 2; i >= 1; --i) {
        const float factor = factors[i];
        float* const row = lines + i * pitch;
        const float* const after = row + pitch;
        for (std::int64_t x = 0; x < count; ++x) {
            row[x] -= factor * after[x];
        }
    }
}

// One coefficient beyond each end.
void extend_lines(float* lines, std::int64_t n, std::int64_t pitch, std::int64_t count) {
    float* const low = lines - pitch;
    float* const high = lines + n * pitch;
    const std::int64_t inward = n > 1 ? pitch : 0;
    for (std::int64_t x = 0; x < count; ++x) {
        low[x] = 2.0F * lines[x] - lines[x + inward];
        high[x] = 2.0F * high[x - pitch] - high[x - pitch - inward];
    }
}

}  // namespace

std::int64_t scratch_elements_for_coefficients(const Extents& extents) {
    return (lines_at_once + 1) * (std::max({extents[0], extents[1], extents[2]}) + 2);
}

void take_coefficients(float* padded, const Extents& extents, float* scratch) {
    const std::int64_t row = extents[2] + 2;
    const std::int64_t plane = (extents[1] + 2) * row;
    float* const first = padded + plane + row + 1;
    float* const factors = scratch;
    float* const turned = scratch + std::max({extents[0], extents[1], extents[2]}) + 2;
    // Along x: rows turned round, so that lines lie side by side.
    find_factors(extents[2], factors);
    for (std::int64_t z = 0; z < extents[0]; ++z) {
        for (std::int64_t y = 0; y < extents[1]; y += lines_at_once) {
            const std::int64_t lines = std::min(lines_at_once, extents[1] - y);
            float* const rows = first + z * plane + y * row;
            for (std::int64_t line = 0; line < lines; ++line) {
                for (std::int64_t x = 0; x < extents[2]; ++x) {
                    turned[(x + 1) * lines_at_once + line] = rows[line * row + x];
                }
            }
            solve_lines(turned + lines_at_once, extents[2], lines_at_once, lines_at_once, factors);
            extend_lines(turned + lines_at_once, extents[2], lines_at_once, lines_at_once);
            for (std::int64_t line = 0; line < lines; ++line) {
                for (std::int64_t x = 0; x < row; ++x) {
                    rows[line * row + x - 1] = turned[x * lines_at_once + line];
                }
            }
        }
    }
    find_factors(extents[1], factors);
    for (std::int64_t z = 0; z < extents[0]; ++z) {
        solve_lines(first + z * plane - 1, extents[1], row, row, factors);
        extend_lines(first + z * plane - 1, extents[1], row, row);
    }
    find_factors(extents[0], factors);
    float* const begin = padded + plane;
    solve_lines(begin, extents[0], plane, plane, factors);
    extend_lines(begin, extents[0], plane, plane);
}

void take_spline_slope(const float* padded, const Extents& extents, std::size_t axis, float* to) {
    const std::int64_t row = extents[2] + 2;
    const std::int64_t plane = (extents[1] + 2) * row;
    constexpr std::array value{1.0F / 6.0F, 4.0F / 6.0F, 1.0F / 6.0F};
    constexpr std::array slope{-0.5F, 0.0F, 0.5F};
    std::array<std::array<float, 3>, 3> weights{value, value, value};
    weights[axis] = slope;
    for (std::int64_t z = 0; z < extents[0]; ++z) {
        for (std::int64_t y = 0; y < extents[1]; ++y) {
            float* const target = to + (z * extents[1] + y) * extents[2];
            std::fill_n(target, extents[2], 0.0F);
            for (std::size_t k = 0; k < 3; ++k) {
                for (std::size_t j = 0; j < 3; ++j) {
                    const float weight = weights[0][k] * weights[1][j];
                    if (weight == 0.0F) {
                        continue;
                    }
                    const float* const from = padded + (z + static_cast<std::int64_t>(k)) * plane +
                                              (y + static_cast<std::int64_t>(j)) * row;
                    const float w0 = weight * weights[2][0];
                    const float w1 = weight * weights[2][1];
                    const float w2 = weight * weights[2][2];
                    for (std::int64_t x = 0; x < extents[2]; ++x) {
                        target[x] += w0 * from[x] + w1 * from[x + 1] + w2 * from[x + 2];
                    }
                }
            }
        }
    }
}

}  // namespace slab::kernels::realign
