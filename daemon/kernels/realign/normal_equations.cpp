#include "daemon/kernels/realign/normal_equations.hpp"

#include "daemon/kernels/realign/dense_matrix.hpp"

#include <algorithm>
#include <functional>

namespace slab::kernels::realign {

FrameEquations& FrameEquations::operator+=(const FrameEquations& more) {
    std::ranges::transform(normal, more.normal, normal.begin(), std::plus());
    std::ranges::transform(right, more.right, right.begin(), std::plus());
    squares += more.squares;
    weight += more.weight;
    missing += more.missing;
    return *this;
}

void add_group(const ReferenceImage& reference, std::int64_t begin, std::int64_t count, const float* samples,
               FrameEquations& equations) {
    GroupSums sums{};
    sum_residuals(reference, begin, count, samples, sums);
    for (std::size_t column = 0; column < column_count; ++column) {
        equations.right[column] += sums[column];
    }
    equations.squares += sums[column_count];
    equations.weight += sums[column_count + 1];
    for (std::int64_t i = begin; i < begin + count; ++i) {
        if (samples[i - begin] == samples[i - begin]) {
            continue;
        }
        const Columns columns = columns_of(reference, i);
        const Columns instruments = instruments_of(reference, i);
        for (std::size_t row = 0; row < columns.size(); ++row) {
            for (std::size_t column = 0; column < columns.size(); ++column) {
                equations.normal[row * columns.size() + column] -= instruments[row] * columns[column];
            }
        }
        equations.missing += 1.0;
    }
}

bool solve_equations(const FrameEquations& equations, Columns& unknowns) {
    NormalMatrix matrix = equations.normal;
    unknowns = equations.right;
    return solve(matrix.data(), column_count, unknowns.data(), column_count);
}

}  // namespace slab::kernels::realign
