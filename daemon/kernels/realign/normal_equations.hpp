#pragma once

#include "daemon/kernels/realign/reference_image.hpp"
#include "daemon/kernels/realign/sample_source.hpp"

#include <array>

namespace slab::kernels::realign {

using Columns = std::array<double, column_count>;

// Row i of the columns B, and of the instruments Z.
inline Columns columns_of(const ReferenceImage& reference, std::int64_t i) {
    const auto read = [i](const float* from) { return static_cast<double>(from[i]); };
    const std::array g{read(reference.slope[0]), read(reference.slope[1]), read(reference.slope[2])};
    const std::array y{read(reference.place[0]), read(reference.place[1]), read(reference.place[2])};
    return {g[0],
            g[1],
            g[2],
            y[1] * g[2] - y[2] * g[1],
            y[2] * g[0] - y[0] * g[2],
            y[0] * g[1] - y[1] * g[0],
            1.0,
            read(reference.value)};
}
inline Columns instruments_of(const ReferenceImage& reference, std::int64_t i) {
    const auto read = [i](const float* from) { return static_cast<double>(from[i]); };
    const std::array g{read(reference.instrument[0]), read(reference.instrument[1]),
                       read(reference.instrument[2])};
    const std::array y{read(reference.place[0]), read(reference.place[1]), read(reference.place[2])};
    const double weight = read(reference.weight);
    return {g[0],
            g[1],
            g[2],
            y[1] * g[2] - y[2] * g[1],
            y[2] * g[0] - y[0] * g[2],
            y[0] * g[1] - y[1] * g[0],
            weight,
            weight * read(reference.value)};
}

// Z^T B over all voxels.
NormalMatrix normal_matrix(const ReferenceImage& reference);

// What a frame's samples less the reference's values say: normal * unknowns = right.
struct FrameEquations {
    NormalMatrix normal{};  // without the voxels that have no sample
    Columns right{};        // Z^T r
    double squares = 0.0;   // sum of weight * r^2
    double weight = 0.0;    // of the voxels that are there
    double missing = 0.0;   // voxels that are not
};

// Z^T r, then the sum of weight * r^2, then of the weights, of the voxels that have a sample; added to.
using GroupSums = std::array<double, column_count + 2>;
void sum_residuals(const ReferenceImage& reference, std::int64_t begin, std::int64_t count,
                   const float* samples, GroupSums& sums);

void add_group(const ReferenceImage& reference, std::int64_t begin, std::int64_t count, const float* samples,
               FrameEquations& equations);

// source.read(begin, count, to): samples.
template <class Source>
FrameEquations gather_equations(const ReferenceImage& reference, Source& source) {
    FrameEquations equations;
    equations.normal = reference.facts->normal;
    GroupSamples samples;
    for (std::int64_t begin = 0; begin < reference.facts->voxels; begin += voxel_group) {
        const std::int64_t count = std::min(voxel_group, reference.facts->voxels - begin);
        source.read(begin, count, samples.data());
        add_group(reference, begin, count, samples.data(), equations);
    }
    return equations;
}

// False: the equations have no solution.
bool solve_equations(const FrameEquations& equations, Columns& unknowns);

}  // namespace slab::kernels::realign
