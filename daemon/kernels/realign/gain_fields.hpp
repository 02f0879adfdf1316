#pragma once

#include "daemon/kernels/realign/normal_equations.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels::realign {

inline constexpr std::int64_t least_frames_for_gain = 16;
inline constexpr std::int64_t most_gain_fields = 64;

// A slow change of intensity over time that differs from place to place looks like motion to the normal equations. It is
// modelled as a gain: the image times a sum of cosines over the box of its voxels, no shorter than a third of the box. Each
// frame's own estimate of the gain is too noisy to be of use; but what drifts, drifts through all frames alike, so that the
// table of gains (frames by cosines) has a low rank beside the noise, which the singular values tell apart.
struct GainWaves {
    std::int64_t count = 0;
    std::array<std::array<std::int8_t, 3>, most_gain_fields>
        waves{};            // half periods along x, y, z of the box
    std::int64_t most = 0;  // along any axis
};
GainWaves choose_waves(const ReferenceFacts& reference);

inline constexpr std::int64_t most_waves_along = 8;

// Sums over voxels, row by row, as many columns or rows as there are waves.
struct GainNormal {
    std::array<double, column_count * most_gain_fields>
        fixed_by_gain{};  // Z^T of the 8 columns times the fields
    std::array<double, most_gain_fields * column_count> gain_by_fixed{};
    std::array<double, most_gain_fields * most_gain_fields> gain_by_gain{};

    GainNormal& operator+=(const GainNormal& more);
};

struct GainFacts {
    GainWaves waves;  // none where there are no voxels to tell the fields apart
    GainNormal normal;
    // Cholesky's factor of what the fixed columns leave of gain_by_gain.
    std::array<double, most_gain_fields * most_gain_fields> lower{};
};
void finish_gain_facts(const ReferenceFacts& reference, GainFacts& facts);

// Beside the voxels of a slab of a reference.
struct GainFields {
    std::array<float*, 3> cosine{};  // of half a period over the box, at each voxel
    float* weighted_value = nullptr;
};
GainFields lay_out_gain_fields(MemoryRun& run, std::int64_t capacity);
void make_gain_fields(const ReferenceImage& slab, const ReferenceFacts& box, GainFields& fields);
void sum_gain_normal(const ReferenceImage& slab, const GainFields& fields, const GainWaves& waves,
                     GainNormal& normal);

// What one frame says of the fields, and of the 8 columns beside them.
struct FrameGain {
    std::array<double, column_count * most_gain_fields> fixed_by_gain{};
    std::array<double, most_gain_fields * column_count> gain_by_fixed{};
    std::array<double, most_gain_fields> right{};
    std::array<double, most_gain_fields> whitened{};  // lower^T times the frame's own estimate
};

// Adds the sum over a group's voxels of weighted_rest * cosines for each field.
void sum_fields(const GainFields& fields, const GainWaves& waves, std::int64_t begin, std::int64_t count,
                const float* weighted_rest, double* sums);

// Adds what a group's voxels say of the fields; of gain_by_gain the lower triangle.
void add_field_normal(const ReferenceImage& reference, const GainFields& fields, const GainWaves& waves,
                      std::int64_t begin, std::int64_t count, GainNormal& normal);

void add_group(const ReferenceImage& slab, const GainFields& fields, const GainWaves& waves,
               std::int64_t begin, std::int64_t count, const float* samples, FrameGain& gain);
void finish_gain(const GainFacts& facts, const FrameEquations& equations, FrameGain& gain);

// Where the frame has no sample the voxel is taken out, but not of gain_by_gain, where it makes no difference that could be
// measured.
template <class Source>
void find_gain(const Reference& reference, const std::array<GainFields, most_slabs>& fields,
               const GainFacts& facts, Source& source, const FrameEquations& equations, FrameGain& gain) {
    gain.fixed_by_gain = facts.normal.fixed_by_gain;
    gain.gain_by_fixed = facts.normal.gain_by_fixed;
    gain.right.fill(0.0);
    GroupSamples samples;
    for (std::int64_t slab = 0; slab < reference.count; ++slab) {
        const ReferenceImage& image = reference.slab[static_cast<std::size_t>(slab)];
        for (std::int64_t begin = 0; begin < image.facts->voxels; begin += voxel_group) {
            const std::int64_t count = std::min(voxel_group, image.facts->voxels - begin);
            source.read(slab, begin, count, samples.data());
            add_group(image, fields[static_cast<std::size_t>(slab)], facts.waves, begin, count,
                      samples.data(), gain);
        }
    }
    finish_gain(facts, equations, gain);
}

// The unknowns of the 8 columns, when the whitened gain is this; false: the equations have no solution.
bool unknowns_without_gain(const GainFacts& facts, const FrameEquations& equations, const FrameGain& frame,
                           const double* gain, Columns& unknowns);

// Rows of whitened gains, `frames` of them, become what is left of them at a low rank: less their mean, singular values
// shrunk as is optimal for the Frobenius norm (M. Gavish, D. L. Donoho, IEEE Transactions on Information Theory 63, 2017),
// the noise from their median and not below `least_noise`. Returns the rank. scratch: 3 * count^2 + 2 * count numbers.
std::int64_t shrink_gains(double* gains, std::int64_t frames, std::int64_t count, double least_noise,
                          double* scratch);

}  // namespace slab::kernels::realign
