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

void solve_across(float* lines, std::int64_t n, std::int64_t pitch, std::int64_t count, float* scratch) {
    find_factors(n, scratch);
    solve_lines(lines, n, pitch, count, scratch);
    extend_lines(lines, n, pitch, count);
}

// Rows are turned round, so that lines lie side by side.
void solve_along(float* rows, std::int64_t n, std::int64_t pitch, std::int64_t count, float* scratch) {
    float* const factors = scratch;
    float* const turned = scratch + n;
    find_factors(n, factors);
    for (std::int64_t first = 0; first < count; first += lines_at_once) {
        const std::int64_t lines = std::min(lines_at_once, count - first);
        float* const block = rows + first * pitch;
        for (std::int64_t line = 0; line < lines; ++line) {
            for (std::int64_t x = 0; x < n; ++x) {
                turned[(x + 1) * lines_at_once + line] = block[line * pitch + x];
            }
        }
        solve_lines(turned + lines_at_once, n, lines_at_once, lines_at_once, factors);
        extend_lines(turned + lines_at_once, n, lines_at_once, lines_at_once);
        for (std::int64_t line = 0; line < lines; ++line) {
            for (std::int64_t x = 0; x < n + 2; ++x) {
                block[line * pitch + x - 1] = turned[x * lines_at_once + line];
            }
        }
    }
}

}  // namespace slab::kernels::realign
