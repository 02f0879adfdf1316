#pragma once

#include "daemon/kernels/realign/normal_equations.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels::realign {

inline constexpr std::int64_t least_frames_for_gain = 16;

// A slow change of intensity over time that differs from place to place looks like motion to the normal equations. It is
// modelled as a gain: the image times a sum of cosines over the box of its voxels, no shorter than a third of the box. Each
// frame's own estimate of the gain is too noisy to be of use; but what drifts, drifts through all frames alike, so that the
// table of gains (frames by cosines) has a low rank beside the noise, which the singular values tell apart.
struct GainFacts {
    std::int64_t count = 0;
    std::array<std::array<std::int8_t, 3>, most_gain_fields>
        waves{};                  // half periods along x, y, z of the box
    std::int64_t most_waves = 0;  // along any axis
    // Row by row, count columns or rows of so many.
    std::array<double, column_count * most_gain_fields>
        fixed_by_gain{};  // Z^T of the 8 columns times the fields
    std::array<double, most_gain_fields * column_count> gain_by_fixed{};
    std::array<double, most_gain_fields * most_gain_fields> gain_by_gain{};
    std::array<double, most_gain_fields * most_gain_fields>
        lower{};  // Cholesky's, of what the fixed columns leave of it
};

inline constexpr std::int64_t most_waves_along = 8;

// Beside the voxels of a reference.
struct GainFields {
    GainFacts* facts = nullptr;
    std::array<float*, 3> cosine{};  // of half a period over the box, at each voxel
    float* weighted_value = nullptr;
};

GainFields lay_out_gain_fields(MemoryRun& run, std::int64_t capacity);

// With no voxels to tell the fields apart there are none of them.
void make_gain_fields(const ReferenceImage& reference, GainFields& fields);

// What one frame says of the fields, and of the 8 columns beside them.
struct FrameGain {
    std::array<double, column_count * most_gain_fields> fixed_by_gain{};
    std::array<double, most_gain_fields * column_count> gain_by_fixed{};
    std::array<double, most_gain_fields> right{};
    std::array<double, most_gain_fields> whitened{};  // lower^T times the frame's own estimate
};

// Adds the sum over a group's voxels of weighted_rest * cosines for each field.
void sum_fields(const GainFields& fields, std::int64_t begin, std::int64_t count, const float* weighted_rest,
                double* sums);

// Adds what a group's voxels say of the fields to their facts.
void add_field_normal(const ReferenceImage& reference, const GainFields& fields, std::int64_t begin,
                      std::int64_t count);

void add_group(const ReferenceImage& reference, const GainFields& fields, std::int64_t begin,
               std::int64_t count, const float* samples, FrameGain& gain);
void finish_gain(const GainFacts& facts, const FrameEquations& equations, FrameGain& gain);

// Where the frame has no sample the voxel is taken out, but not of gain_by_gain, where it makes no difference that could be
// measured.
template <class Source>
void find_gain(const ReferenceImage& reference, const GainFields& fields, Source& source,
               const FrameEquations& equations, FrameGain& gain) {
    gain.fixed_by_gain = fields.facts->fixed_by_gain;
    gain.gain_by_fixed = fields.facts->gain_by_fixed;
    gain.right.fill(0.0);
    GroupSamples samples;
    for (std::int64_t begin = 0; begin < reference.facts->voxels; begin += voxel_group) {
        const std::int64_t count = std::min(voxel_group, reference.facts->voxels - begin);
        source.read(begin, count, samples.data());
        add_group(reference, fields, begin, count, samples.data(), gain);
    }
    finish_gain(*fields.facts, equations, gain);
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
