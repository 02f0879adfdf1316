#include "daemon/kernels/realign/gain_fields.hpp"

#include "daemon/kernels/realign/dense_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace slab::kernels::realign {
namespace {

constexpr double waves_over_box = 3.0;

}  // namespace

GainWaves choose_waves(const ReferenceFacts& reference) {
    std::array<double, 3> length{};
    double volume = 1.0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        length[axis] = std::max(reference.high[axis] - reference.low[axis], 1e-6);
        volume *= length[axis];
    }
    const double shortest = std::cbrt(volume) / waves_over_box;
    std::array<std::int64_t, 3> most{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        most[axis] = std::min(most_waves_along, static_cast<std::int64_t>(length[axis] / shortest));
    }
    GainWaves chosen;
    for (std::int64_t i = 0; i <= most[0]; ++i) {
        for (std::int64_t j = 0; j <= most[1]; ++j) {
            for (std::int64_t k = 0; k <= most[2]; ++k) {
                const double x = static_cast<double>(i) / length[0];
                const double y = static_cast<double>(j) / length[1];
                const double z = static_cast<double>(k) / length[2];
                const bool is_slow = (x * x + y * y + z * z) * shortest * shortest <= 1.0 + 1e-9;
                if (i + j + k > 0 && is_slow && chosen.count < most_gain_fields) {
                    chosen.waves[static_cast<std::size_t>(chosen.count++)] = {static_cast<std::int8_t>(i),
                                                                              static_cast<std::int8_t>(j),
                                                                              static_cast<std::int8_t>(k)};
                    chosen.most = std::max({chosen.most, i, j, k});
                }
            }
        }
    }
    return chosen;
}

GainNormal& GainNormal::operator+=(const GainNormal& more) {
    std::ranges::transform(fixed_by_gain, more.fixed_by_gain, fixed_by_gain.begin(), std::plus());
    std::ranges::transform(gain_by_fixed, more.gain_by_fixed, gain_by_fixed.begin(), std::plus());
    std::ranges::transform(gain_by_gain, more.gain_by_gain, gain_by_gain.begin(), std::plus());
    return *this;
}

namespace {

// cos(n a) for n up to 8 along each axis, at one voxel.
struct VoxelCosines {
    std::array<std::array<double, most_waves_along + 1>, 3> along;

    VoxelCosines(const GainFields& fields, std::int64_t i) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const auto cosine = static_cast<double>(fields.cosine[axis][i]);
            along[axis][0] = 1.0;
            along[axis][1] = cosine;
            for (std::size_t n = 2; n < along[axis].size(); ++n) {
                along[axis][n] = 2.0 * cosine * along[axis][n - 1] - along[axis][n - 2];
            }
        }
    }
    double at(const std::array<std::int8_t, 3>& waves) const {
        return along[0][static_cast<std::size_t>(waves[0])] * along[1][static_cast<std::size_t>(waves[1])] *
               along[2][static_cast<std::size_t>(waves[2])];
    }
};

// A voxel without a sample.
void take_out(const ReferenceImage& reference, const GainFields& fields, const GainWaves& waves,
              std::int64_t i, FrameGain& gain) {
    const VoxelCosines cosines(fields, i);
    const auto count = static_cast<std::size_t>(waves.count);
    const Columns columns = columns_of(reference, i);
    const Columns instruments = instruments_of(reference, i);
    for (std::size_t a = 0; a < count; ++a) {
        const double cosine = cosines.at(waves.waves[a]);
        for (std::size_t column = 0; column < column_count; ++column) {
            gain.fixed_by_gain[column * count + a] -=
                instruments[column] * cosine * static_cast<double>(reference.value[i]);
            gain.gain_by_fixed[a * column_count + column] -=
                columns[column] * cosine * static_cast<double>(fields.weighted_value[i]);
        }
    }
}

// What the fixed columns leave of the fields' matrix: N_cc - N_cf N_ff^-1 N_fc; and of a right side, b_c - N_cf N_ff^-1 b_f.
bool reduce(const GainFacts& facts, const NormalMatrix& fixed, const double* fixed_by_gain,
            const double* gain_by_fixed, const Columns& fixed_right, double* matrix, double* right) {
    const std::int64_t count = facts.waves.count;
    const auto solved = [&](Columns& unknowns) {
        NormalMatrix copy = fixed;
        return solve(copy.data(), column_count, unknowns.data(), column_count);
    };
    for (std::int64_t b = 0; b <= count; ++b) {
        Columns unknowns = fixed_right;
        for (std::int64_t column = 0; b < count && column < column_count; ++column) {
            unknowns[static_cast<std::size_t>(column)] = fixed_by_gain[column * count + b];
        }
        if (!solved(unknowns)) {
            return false;
        }
        for (std::int64_t a = 0; a < count; ++a) {
            double known = 0.0;
            for (std::int64_t column = 0; column < column_count; ++column) {
                known +=
                    gain_by_fixed[a * column_count + column] * unknowns[static_cast<std::size_t>(column)];
            }
            if (b == count) {
                right[a] -= known;
            } else {
                matrix[a * count + b] =
                    facts.normal.gain_by_gain[static_cast<std::size_t>(a * count + b)] - known;
            }
        }
    }
    return true;
}

}  // namespace

GainFields lay_out_gain_fields(MemoryRun& run, std::int64_t capacity) {
    GainFields fields;
    for (float*& cosine : fields.cosine) {
        cosine = run.take<float>(capacity);
    }
    fields.weighted_value = run.take<float>(capacity);
    return fields;
}

void make_gain_fields(const ReferenceImage& slab, const ReferenceFacts& box, GainFields& fields) {
    for (std::int64_t i = 0; i < slab.facts->voxels; ++i) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const double length = std::max(box.high[axis] - box.low[axis], 1e-6);
            const double place = (static_cast<double>(slab.place[axis][i]) - box.low[axis]) / length;
            fields.cosine[axis][i] = static_cast<float>(std::cos(std::numbers::pi * place));
        }
        fields.weighted_value[i] = slab.weight[i] * slab.value[i];
    }
}

void sum_gain_normal(const ReferenceImage& slab, const GainFields& fields, const GainWaves& waves,
                     GainNormal& normal) {
    for (std::int64_t begin = 0; begin < slab.facts->voxels; begin += voxel_group) {
        add_field_normal(slab, fields, waves, begin, std::min(voxel_group, slab.facts->voxels - begin),
                         normal);
    }
}

void finish_gain_facts(const ReferenceFacts& reference, GainFacts& facts) {
    const auto count = static_cast<std::size_t>(facts.waves.count);
    const auto make_symmetric = [count](auto& matrix, const auto& value_of) {
        for (std::size_t a = 0; a < count; ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                matrix[a * count + b] = matrix[b * count + a] =
                    value_of(matrix[a * count + b], matrix[b * count + a]);
            }
        }
    };
    make_symmetric(facts.normal.gain_by_gain, [](double lower, double) { return lower; });
    std::array<double, most_gain_fields> unused{};
    const bool is_solved = reference.voxels > 0 &&
                           reduce(facts, reference.normal, facts.normal.fixed_by_gain.data(),
                                  facts.normal.gain_by_fixed.data(), {}, facts.lower.data(), unused.data());
    make_symmetric(facts.lower, [](double lower, double upper) { return 0.5 * (lower + upper); });
    if (!is_solved || !factor_cholesky(facts.lower.data(), facts.waves.count)) {
        facts.waves.count = 0;
    }
}

void add_group(const ReferenceImage& slab, const GainFields& fields, const GainWaves& waves,
               std::int64_t begin, std::int64_t count, const float* samples, FrameGain& gain) {
    GroupSamples rest{};
    for (std::int64_t i = 0; i < count; ++i) {
        const float sample = samples[i];
        const float difference = sample - slab.value[begin + i];
        rest[static_cast<std::size_t>(i)] =
            sample == sample ? difference * fields.weighted_value[begin + i] : 0.0F;
    }
    sum_fields(fields, waves, begin, count, rest.data(), gain.right.data());
    for (std::int64_t i = 0; i < count; ++i) {
        if (samples[i] != samples[i]) {
            take_out(slab, fields, waves, begin + i, gain);
        }
    }
}

void finish_gain(const GainFacts& facts, const FrameEquations& equations, FrameGain& gain) {
    const auto count = static_cast<std::size_t>(facts.waves.count);
    std::array<double, most_gain_fields * most_gain_fields> matrix{};
    std::array<double, most_gain_fields> right = gain.right;
    gain.whitened.fill(0.0);
    if (!reduce(facts, equations.normal, gain.fixed_by_gain.data(), gain.gain_by_fixed.data(),
                equations.right, matrix.data(), right.data()) ||
        !solve(matrix.data(), facts.waves.count, right.data(), facts.waves.count)) {
        return;
    }
    for (std::size_t a = 0; a < count; ++a) {
        for (std::size_t b = a; b < count; ++b) {
            gain.whitened[a] += facts.lower[b * count + a] * right[b];
        }
    }
}

bool unknowns_without_gain(const GainFacts& facts, const FrameEquations& equations, const FrameGain& frame,
                           const double* gain, Columns& unknowns) {
    const auto count = static_cast<std::size_t>(facts.waves.count);
    std::array<double, most_gain_fields> fields{};
    std::copy_n(gain, count, fields.begin());
    solve_lower_transposed(facts.lower.data(), fields.data(), facts.waves.count);
    FrameEquations rest = equations;
    for (std::size_t column = 0; column < column_count; ++column) {
        for (std::size_t a = 0; a < count; ++a) {
            rest.right[column] -= frame.fixed_by_gain[column * count + a] * fields[a];
        }
    }
    return solve_equations(rest, unknowns);
}

std::int64_t shrink_gains(double* gains, std::int64_t frames, std::int64_t count, double least_noise,
                          double* scratch) {
    double* const gram = scratch;
    double* const vectors = gram + count * count;
    double* const keep = vectors + count * count;
    double* const values = keep + count * count;
    double* const sorted = values + count;
    for (std::int64_t a = 0; a < count; ++a) {
        double mean = 0.0;
        for (std::int64_t frame = 0; frame < frames; ++frame) {
            mean += gains[frame * count + a];
        }
        mean /= static_cast<double>(frames);
        for (std::int64_t frame = 0; frame < frames; ++frame) {
            gains[frame * count + a] -= mean;
        }
    }
    for (std::int64_t a = 0; a < count; ++a) {
        for (std::int64_t b = 0; b < count; ++b) {
            double sum = 0.0;
            for (std::int64_t frame = 0; frame < frames; ++frame) {
                sum += gains[frame * count + a] * gains[frame * count + b];
            }
            gram[a * count + b] = sum;
        }
    }
    symmetric_eigenvectors(gram, vectors, values, count);
    for (std::int64_t a = 0; a < count; ++a) {
        values[a] = std::sqrt(std::max(values[a], 0.0));
        sorted[a] = values[a];
    }
    std::sort(sorted, sorted + count, [](double x, double y) { return x > y; });
    const std::int64_t known = std::min(frames, count);
    const double median = 0.5 * (sorted[(known - 1) / 2] + sorted[known / 2]);
    const auto longer = static_cast<double>(std::max(frames, count));
    const double beta = static_cast<double>(known) / longer;
    const double lambda = std::sqrt(2.0 * (beta + 1.0) +
                                    8.0 * beta / ((beta + 1.0) + std::sqrt(beta * beta + 14.0 * beta + 1.0)));
    const double omega = ((0.56 * beta - 0.95) * beta + 1.82) * beta + 1.43;
    const double noise =
        std::max(median / std::sqrt(longer) * omega / lambda, least_noise) * std::sqrt(longer);
    // What of each direction is kept, of 1.
    std::fill_n(keep, count * count, 0.0);
    std::int64_t rank = 0;
    for (std::int64_t j = 0; j < count; ++j) {
        const double y = noise > 0.0 ? values[j] / noise : 0.0;
        if (!(y > 1.1 * (1.0 + std::sqrt(beta)))) {
            continue;
        }
        ++rank;
        const double squared = y * y - beta - 1.0;
        const double share = std::sqrt(std::max(squared * squared - 4.0 * beta, 0.0)) / (y * y);
        for (std::int64_t a = 0; a < count; ++a) {
            for (std::int64_t b = 0; b < count; ++b) {
                keep[a * count + b] += share * vectors[a * count + j] * vectors[b * count + j];
            }
        }
    }
    for (std::int64_t frame = 0; frame < frames; ++frame) {
        double* const row = gains + frame * count;
        std::copy_n(row, count, values);
        for (std::int64_t a = 0; a < count; ++a) {
            row[a] = 0.0;
            for (std::int64_t b = 0; b < count; ++b) {
                row[a] += keep[a * count + b] * values[b];
            }
        }
    }
    return rank;
}

}  // namespace slab::kernels::realign
