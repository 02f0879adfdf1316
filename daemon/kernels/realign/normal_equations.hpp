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

// Adds Z^T B over all voxels.
void sum_normal(const ReferenceImage& reference, NormalMatrix& normal);

// What a frame's samples less the reference's values say: normal * unknowns = right.
struct FrameEquations {
    NormalMatrix normal{};  // without the voxels that have no sample
    Columns right{};        // Z^T r
    double squares = 0.0;   // sum of weight * r^2
    double weight = 0.0;    // of the voxels that are there
    double missing = 0.0;   // voxels that are not

    FrameEquations& operator+=(const FrameEquations& more);
};

// Z^T r, then the sum of weight * r^2, then of the weights, of the voxels that have a sample; added to.
using GroupSums = std::array<double, column_count + 2>;
void sum_residuals(const ReferenceImage& reference, std::int64_t begin, std::int64_t count,
                   const float* samples, GroupSums& sums);

void add_group(const ReferenceImage& reference, std::int64_t begin, std::int64_t count, const float* samples,
               FrameEquations& equations);

// Of one slab. read(begin, count, to): its samples.
template <class Read>
FrameEquations slab_equations(const ReferenceImage& slab, const Read& read) {
    FrameEquations equations;
    equations.normal = slab.facts->normal;
    GroupSamples samples;
    for (std::int64_t begin = 0; begin < slab.facts->voxels; begin += voxel_group) {
        const std::int64_t count = std::min(voxel_group, slab.facts->voxels - begin);
        read(begin, count, samples.data());
        add_group(slab, begin, count, samples.data(), equations);
    }
    return equations;
}

// Of all of them, in their order. source.read(slab, begin, count, to): samples.
template <class Source>
FrameEquations frame_equations(const Reference& reference, Source& source) {
    FrameEquations equations;
    for (std::int64_t slab = 0; slab < reference.count; ++slab) {
        equations += slab_equations(
            reference.slab[static_cast<std::size_t>(slab)],
            [&](std::int64_t begin, std::int64_t count, float* to) { source.read(slab, begin, count, to); });
    }
    return equations;
}

// False: the equations have no solution.
bool solve_equations(const FrameEquations& equations, Columns& unknowns);

}  // namespace slab::kernels::realign
