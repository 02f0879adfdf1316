#include "daemon/kernels/realign/estimation.hpp"

#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/realign/gain_fields.hpp"
#include "daemon/kernels/realign/gauss_newton.hpp"
#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/natural_spline.hpp"
#include "daemon/kernels/realign/normal_equations.hpp"
#include "daemon/kernels/realign/soft_mask.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace slab::kernels::realign {
namespace {

constexpr double first_pass_share = 0.70;  // of the information: voxels that the first pass goes by
constexpr double second_pass_share = 0.995;
constexpr double blur_in_voxels = 2.0;  // FWHM of the instruments' image, of the mean voxel
constexpr double tolerance_in_mm = 0.05;
constexpr double coarse_tolerance_in_voxels = 0.02;
constexpr int most_coarse_steps = 30;
constexpr int most_steps = 20;
constexpr int most_second_steps = 8;
constexpr std::int64_t least_frames_for_gain = 16;
constexpr double most_scale =
    3.0;  // of a frame's intensity against the median's, either way: else it is not that head

struct FirstPass {
    AffineMatrix motion;  // the reference's mm to the frame's
    double scale = 1.0;
    double steps = 0.0;
    double has_converged = 1.0;
};

struct SecondPass {
    AffineMatrix motion;
    double steps = 0.0;
    double has_converged = 1.0;
    double power = 0.0;  // mean weighted square of what is left
    double dvars = 0.0;
    FrameEquations equations;
    FrameGain gain;
};

template <typename Record>
constexpr std::int64_t bytes_of_record() {
    static_assert(std::is_trivially_copyable_v<Record>);
    return static_cast<std::int64_t>(sizeof(Record));
}

}  // namespace

std::int64_t first_pass_bytes() {
    return bytes_of_record<FirstPass>();
}
std::int64_t second_pass_bytes() {
    return bytes_of_record<SecondPass>();
}

namespace {

template <typename Record>
const Record& record_of(const ConstArrayView& rows, std::int64_t frame) {
    return reinterpret_cast<const Record*>(rows.data)[frame];
}

const ConstArrayView& workspace(const TileCall& call, RealignPhase phase) {
    return call.workspaces[static_cast<std::size_t>(phase)];
}

const float* floats_of(const ConstArrayView& array, std::int64_t row, std::int64_t row_elements) {
    return reinterpret_cast<const float*>(array.data) + row * row_elements;
}

// Voxels of the series from `first` on; what is not finite counts as 0.
void load_voxels(const TileCall& call, std::int64_t first, std::int64_t count, float* to) {
    const ConstArrayView& series = call.inputs[0];
    with_element_type(series.dtype, [&]<typename Element>(Element element) {
        const std::byte* from = series.data + first * static_cast<std::int64_t>(sizeof(Element));
        for (std::int64_t i = 0; i < count; ++i, from += sizeof(Element)) {
            std::memcpy(&element, from, sizeof(Element));
            const auto value = as_working<Element, float>(element);
            to[i] = std::abs(value) <= std::numeric_limits<float>::max() ? value : 0.0F;
        }
    });
}

void load_frame(const RealignProgram& program, const TileCall& call, std::int64_t frame, float* to) {
    load_voxels(call, frame * program.grid.count(), program.grid.count(), to);
}

void fill_coefficients(const RealignProgram& program, const TileCall& call) {
    const Extents& n = program.grid.extents;
    const std::int64_t row = n[2] + 2;
    const std::int64_t plane = (n[1] + 2) * row;
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        float* const padded =
            reinterpret_cast<float*>(call.target.data) + frame * program.grid.padded_count();
        for (std::int64_t z = 0; z < n[0]; ++z) {
            for (std::int64_t y = 0; y < n[1]; ++y) {
                load_voxels(call, ((frame * n[0] + z) * n[1] + y) * n[2], n[2],
                            padded + (z + 1) * plane + (y + 1) * row + 1);
            }
        }
        take_coefficients(padded, n, reinterpret_cast<float*>(call.scratch.data()));
    }
}

// Block means of the frame itself, a row of results at a time. scratch: a row of voxels, and a row of doubles.
void take_frame_means(const RealignProgram& program, const TileCall& call, std::int64_t frame, float* to) {
    const Extents& n = program.grid.extents;
    const Extents& factors = program.factors[0];
    const Extents means = level_grid(program, 1).extents;
    MemoryRun run(call.scratch.data());
    auto* const sums = run.take<double>(means[2]);
    auto* const voxels = run.take<float>(n[2]);
    const double share = 1.0 / static_cast<double>(factors[0] * factors[1] * factors[2]);
    for (std::int64_t z = 0; z < means[0]; ++z) {
        for (std::int64_t y = 0; y < means[1]; ++y, to += means[2]) {
            std::fill_n(sums, means[2], 0.0);
            for (std::int64_t k = 0; k < factors[0] * factors[1]; ++k) {
                const std::int64_t line =
                    (z * factors[0] + k / factors[1]) * n[1] + y * factors[1] + k % factors[1];
                load_voxels(call, frame * program.grid.count() + line * n[2], n[2], voxels);
                for (std::int64_t x = 0; x < means[2]; ++x) {
                    for (std::int64_t i = 0; i < factors[2]; ++i) {
                        sums[x] += static_cast<double>(voxels[x * factors[2] + i]);
                    }
                }
            }
            for (std::int64_t x = 0; x < means[2]; ++x) {
                to[x] = static_cast<float>(sums[x] * share);
            }
        }
    }
}

void fill_coarse_images(const RealignProgram& program, const TileCall& call) {
    const std::int64_t elements = coarse_begin(program, program.levels + 1);
    const std::int64_t pitch = call.target.shape[1];
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        MemoryRun run(call.target.data + frame * pitch * 4);
        auto* const images = run.take<float>(std::max<std::int64_t>(elements, 1));
        images[0] = 0.0F;  // where there are none
        // Each level's image is made of the means before smoothing, which the next level takes means of.
        auto* means = run.take<float>(elements);
        auto* const other = run.take<float>(elements);
        for (std::int64_t level = 1; level <= program.levels; ++level) {
            const VolumeGrid grid = level_grid(program, level);
            if (level == 1) {
                take_frame_means(program, call, frame, means);
            } else {
                const VolumeGrid finer = level_grid(program, level - 1);
                take_block_means(means, finer.extents, program.factors[static_cast<std::size_t>(level - 1)],
                                 means + finer.count());
                means += finer.count();
            }
            smooth_binomially(means, grid.extents, images + coarse_begin(program, level), other);
        }
    }
}

// The references of the first pass: the coarse levels', then that of the voxels which tell the most, then that of all that
// tell anything; behind them what they are made with.
struct References {
    std::array<ReferenceImage, most_coarse_levels + 1> level{};  // 0: the first pass'
    ReferenceImage all;
    std::array<float*, 9> images{};
    float* padded = nullptr;
    float* solver = nullptr;
};

References lay_out_references(const RealignProgram& program, MemoryRun& run) {
    References references;
    const std::int64_t count = program.grid.count();
    for (std::int64_t level = 0; level <= program.levels; ++level) {
        references.level[static_cast<std::size_t>(level)] =
            lay_out_reference(run, level_grid(program, level).count());
    }
    references.all = lay_out_reference(run, count);
    for (float*& image : references.images) {
        image = run.take<float>(count);
    }
    references.padded = run.take<float>(program.grid.padded_count());
    references.solver = run.take<float>(scratch_elements_for_coefficients(program.grid.extents));
    return references;
}

struct SecondReference {
    ReferenceImage image;
    GainFields gain;
    std::array<float*, 10> images{};
    float* padded = nullptr;
    float* solver = nullptr;
};

SecondReference lay_out_second_reference(const RealignProgram& program, MemoryRun& run) {
    SecondReference reference;
    const std::int64_t count = program.grid.count();
    reference.image = lay_out_reference(run, count);
    reference.gain = lay_out_gain_fields(run, count);
    for (float*& image : reference.images) {
        image = run.take<float>(count);
    }
    reference.padded = run.take<float>(program.grid.padded_count());
    reference.solver = run.take<float>(scratch_elements_for_coefficients(program.grid.extents));
    return reference;
}

// Workspaces of earlier phases are only read.
References references_of(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(const_cast<std::byte*>(workspace(call, RealignPhase::references).data));
    return lay_out_references(program, run);
}
SecondReference second_reference_of(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(const_cast<std::byte*>(workspace(call, RealignPhase::second_reference).data));
    return lay_out_second_reference(program, run);
}

void take_coefficients_of(const float* image, const Extents& n, float* padded, float* solver) {
    const std::int64_t row = n[2] + 2;
    const std::int64_t plane = (n[1] + 2) * row;
    for (std::int64_t z = 0; z < n[0]; ++z) {
        for (std::int64_t y = 0; y < n[1]; ++y) {
            std::copy_n(image + (z * n[1] + y) * n[2], n[2], padded + (z + 1) * plane + (y + 1) * row + 1);
        }
    }
    take_coefficients(padded, n, solver);
}

// The slopes of the image's spline, and of the image blurred.
void take_slopes(const float* image, const VolumeGrid& grid, float* padded, float* solver,
                 const std::array<float*, 3>& slope, const std::array<float*, 3>& blurred_slope, float* other,
                 float* third) {
    take_coefficients_of(image, grid.extents, padded, solver);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        take_spline_slope(padded, grid.extents, axis, slope[axis]);
    }
    const Point spacing = grid.spacing();
    const double fwhm = blur_in_voxels * std::cbrt(spacing[0] * spacing[1] * spacing[2]);
    std::array<double, 3> sigma{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        sigma[axis] = fwhm / std::sqrt(8.0 * std::log(2.0)) / spacing[axis];
    }
    blur(image, grid.extents, sigma, other, third);
    take_coefficients_of(other, grid.extents, padded, solver);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        take_spline_slope(padded, grid.extents, axis, blurred_slope[axis]);
    }
}

void fill_references(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(call.target.data);
    References references = lay_out_references(program, run);
    const auto& [value, weight, slope_z, slope_y, slope_x, blurred_z, blurred_y, blurred_x, other] =
        references.images;
    const ConstArrayView& coarse = workspace(call, RealignPhase::coarse_images);
    const float* const images = floats_of(coarse, program.reference, coarse.shape[1]);
    for (std::int64_t level = 1; level <= program.levels; ++level) {
        const VolumeGrid grid = level_grid(program, level);
        const float* const image = images + coarse_begin(program, level);
        make_soft_mask(image, grid, weight, other, slope_z);
        const std::array<float*, 3> slopes{slope_z, slope_y, slope_x};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            take_difference(image, grid.extents, axis, slopes[axis]);
        }
        const std::array<const float*, 3> read{slope_z, slope_y, slope_x};
        make_reference({image, weight, read, read, 1.0}, grid,
                       references.level[static_cast<std::size_t>(level)], other);
    }
    load_frame(program, call, program.reference, value);
    take_slopes(value, program.grid, references.padded, references.solver, {slope_z, slope_y, slope_x},
                {blurred_z, blurred_y, blurred_x}, other, weight);
    make_soft_mask(value, program.grid, weight, other, references.padded);
    ReferenceSource source{
        value, weight, {slope_z, slope_y, slope_x}, {blurred_z, blurred_y, blurred_x}, first_pass_share};
    make_reference(source, program.grid, references.level[0], other);
    source.share = second_pass_share;
    make_reference(source, program.grid, references.all, other);
}

SampledFrame frame_at(const RealignProgram& program, const TileCall& call, std::int64_t frame,
                      std::int64_t level) {
    if (level == 0) {
        return {floats_of(workspace(call, RealignPhase::coefficients), frame, program.grid.padded_count()),
                Sampling::cubic, program.grid};
    }
    const ConstArrayView& coarse = workspace(call, RealignPhase::coarse_images);
    return {floats_of(coarse, frame, coarse.shape[1]) + coarse_begin(program, level), Sampling::linear,
            level_grid(program, level)};
}

void fill_first_pass(const RealignProgram& program, const TileCall& call) {
    const References references = references_of(program, call);
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        auto& record = *new (call.target.data + frame * first_pass_bytes()) FirstPass{};
        if (frame == program.reference) {
            continue;
        }
        for (std::int64_t level = program.levels; level >= 0; --level) {
            const VolumeGrid grid = level_grid(program, level);
            const double voxel = std::cbrt(std::abs(determinant(grid.to_mm)));
            const GaussNewtonOptions options =
                level == 0 ? GaussNewtonOptions{tolerance_in_mm, most_steps}
                           : GaussNewtonOptions{coarse_tolerance_in_voxels * voxel, most_coarse_steps};
            const Alignment found = align(frame_at(program, call, frame, level),
                                          references.level[static_cast<std::size_t>(level)], grid,
                                          record.motion, options, VoxelBits(call.scratch.data()));
            record.motion = found.motion;
            record.steps += found.steps;
            record.scale = found.scale;
            record.has_converged = found.has_converged ? 1.0 : 0.0;
        }
    }
}

const FirstPass& first_pass_of(const TileCall& call, std::int64_t frame) {
    return record_of<FirstPass>(workspace(call, RealignPhase::first_pass), frame);
}

// The median of a number of each frame, by bisection on its rank: nothing is allocated. Frames are few.
template <class Number>
double median_over_frames(std::int64_t frames, const Number& number) {
    const auto kth = [&](std::int64_t k) {
        for (std::int64_t candidate = 0; candidate < frames; ++candidate) {
            const double value = number(candidate);
            std::int64_t below = 0;
            std::int64_t equal = 0;
            for (std::int64_t frame = 0; frame < frames; ++frame) {
                below += number(frame) < value ? 1 : 0;
                equal += number(frame) == value ? 1 : 0;
            }
            if (below <= k && k < below + equal) {
                return value;
            }
        }
        return number(0);
    };
    return 0.5 * (kth((frames - 1) / 2) + kth(frames / 2));
}

// Whether the first pass found that head in the frame.
struct GoodFrames {
    const RealignProgram& program;
    const TileCall& call;
    double median_scale = median_over_frames(
        program.frames, [this](std::int64_t frame) { return first_pass_of(call, frame).scale; });

    bool operator()(std::int64_t frame) const {
        const FirstPass& pass = first_pass_of(call, frame);
        const double scale = pass.scale / median_scale;
        return pass.has_converged != 0.0 && scale > 1.0 / most_scale && scale < most_scale;
    }
    std::int64_t count() const {
        std::int64_t good = 0;
        for (std::int64_t frame = 0; frame < program.frames; ++frame) {
            good += (*this)(frame) ? 1 : 0;
        }
        return good;
    }
};

void fill_samples(const RealignProgram& program, const TileCall& call) {
    const References references = references_of(program, call);
    const std::int64_t pitch = program.grid.count();
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        float* const samples = reinterpret_cast<float*>(call.target.data) + frame * pitch;
        sample_voxels(frame_at(program, call, frame, 0), references.all,
                      pull_back_of(program.grid, first_pass_of(call, frame).motion, program.grid), 0,
                      references.all.facts->voxels, samples);
        // What no voxel of the reference needs is defined, too: a tile is written whole.
        std::fill(samples + references.all.facts->voxels, samples + pitch, 0.0F);
    }
}

// Two rows: the mean of the samples at each voxel of the reference, and of how many frames it is.
void fill_mean(const RealignProgram& program, const TileCall& call) {
    const References references = references_of(program, call);
    const GoodFrames is_good{program, call};
    const ConstArrayView& samples = workspace(call, RealignPhase::samples);
    const std::int64_t pitch = program.grid.count();
    auto* const target = reinterpret_cast<float*>(call.target.data);
    constexpr std::int64_t group = 256;
    for (std::int64_t begin = call.tile.begin[1]; begin < call.tile.end[1]; begin += group) {
        const std::int64_t count = std::min(group, call.tile.end[1] - begin);
        std::array<double, group> sums{};
        std::array<std::int32_t, group> covers{};
        for (std::int64_t frame = 0; frame < program.frames && begin < references.all.facts->voxels;
             ++frame) {
            if (!is_good(frame)) {
                continue;
            }
            const float* const row = floats_of(samples, frame, pitch) + begin;
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
                const bool is_there = row[i] == row[i];
                sums[i] += is_there ? static_cast<double>(row[i]) : 0.0;
                covers[i] += is_there ? 1 : 0;
            }
        }
        for (std::int64_t row = call.tile.begin[0]; row < call.tile.end[0]; ++row) {
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
                const auto cover = static_cast<double>(covers[i]);
                target[row * pitch + begin + static_cast<std::int64_t>(i)] =
                    static_cast<float>(row == 1 ? cover : sums[i] / std::max(cover, 1.0));
            }
        }
    }
}

void fill_second_reference(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(call.target.data);
    SecondReference second = lay_out_second_reference(program, run);
    const References references = references_of(program, call);
    const ReferenceImage& first = references.all;
    const auto& [value, weight, slope_z, slope_y, slope_x, blurred_z, blurred_y, blurred_x, other, third] =
        second.images;
    const std::int64_t count = program.grid.count();
    const float* const mean = floats_of(workspace(call, RealignPhase::mean), 0, count);
    const float* const cover = mean + count;
    const GoodFrames is_good{program, call};
    const double least_cover = 0.5 * static_cast<double>(is_good.count());
    load_frame(program, call, program.reference, value);
    std::fill_n(weight, count, 0.0F);
    for (std::int64_t i = 0; i < first.facts->voxels; ++i) {
        value[first.index[i]] = mean[i];
        weight[first.index[i]] = static_cast<double>(cover[i]) > least_cover ? first.weight[i] : 0.0F;
    }
    take_slopes(value, program.grid, second.padded, second.solver, {slope_z, slope_y, slope_x},
                {blurred_z, blurred_y, blurred_x}, other, third);
    make_reference({value, weight, {slope_z, slope_y, slope_x}, {blurred_z, blurred_y, blurred_x}, 1.0},
                   program.grid, second.image, other);
    if (program.has_gain_fields && program.frames >= least_frames_for_gain) {
        make_gain_fields(second.image, second.gain);
    } else {
        new (second.gain.facts) GainFacts{};
    }
}

double change_between(const float* samples, const float* before, std::int64_t voxels) {
    double squares = 0.0;
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < voxels; ++i) {
        const float change = samples[i] - before[i];
        const bool is_there = change == change;
        squares += is_there ? static_cast<double>(change) * static_cast<double>(change) : 0.0;
        count += is_there ? 1 : 0;
    }
    return count > 0 ? std::sqrt(squares / static_cast<double>(count)) : 0.0;
}

// What is left of the mean square when offset and factor of the intensity are taken off.
double power_left(const FrameEquations& equations, const Columns& unknowns) {
    const auto at = [&](std::size_t i, std::size_t j) { return equations.normal[i * column_count + j]; };
    const double offset = unknowns[6];
    const double factor = unknowns[7];
    const double squares =
        equations.squares - 2.0 * (offset * equations.right[6] + factor * equations.right[7]) +
        offset * offset * at(6, 6) + factor * offset * (at(6, 7) + at(7, 6)) + factor * factor * at(7, 7);
    return equations.weight > 0.0 ? std::max(squares, 0.0) / equations.weight : 0.0;
}

// One linear step from the samples that are there already, which fill_motion takes; only a frame whose step is long is
// sampled again.
void align_to_mean(const RealignProgram& program, const TileCall& call, const SecondReference& second,
                   const SampledFrame& frame, StoredSamples stored, SecondPass& record) {
    const ReferenceImage& reference = second.image;
    const std::array<Point, 8> corners = corners_of(*reference.facts);
    MovedFrame moved{frame, reference, {}, VoxelBits(call.scratch.data()), false};
    record.equations = gather_equations(reference, stored);
    Columns unknowns{};
    bool is_solved = solve_equations(record.equations, unknowns);
    RigidStep step = rigid_step(unknowns);
    while (is_solved && longest_move(step, corners) >= tolerance_in_mm && record.steps < most_second_steps) {
        record.motion = updated(record.motion, step, reference.facts->centre);
        moved.pull_back = pull_back_of(program.grid, record.motion, program.grid);
        moved.keeps_missing = record.steps >= 2.0;
        record.steps += 1.0;
        record.equations = gather_equations(reference, moved);
        is_solved = solve_equations(record.equations, unknowns);
        step = rigid_step(unknowns);
    }
    record.has_converged = is_solved && longest_move(step, corners) < tolerance_in_mm ? 1.0 : 0.0;
    record.power = power_left(record.equations, unknowns);
    if (second.gain.facts->count > 0) {
        moved.keeps_missing = true;
        record.steps > 0.0 ? find_gain(reference, second.gain, moved, record.equations, record.gain)
                           : find_gain(reference, second.gain, stored, record.equations, record.gain);
    }
}

void fill_second_pass(const RealignProgram& program, const TileCall& call) {
    const References references = references_of(program, call);
    const SecondReference second = second_reference_of(program, call);
    const ConstArrayView& samples = workspace(call, RealignPhase::samples);
    const std::int64_t pitch = program.grid.count();
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        auto& record = *new (call.target.data + frame * second_pass_bytes()) SecondPass{};
        record.motion = first_pass_of(call, frame).motion;
        const float* const own = floats_of(samples, frame, pitch);
        if (frame > 0) {
            record.dvars =
                change_between(own, floats_of(samples, frame - 1, pitch), references.all.facts->voxels);
        }
        align_to_mean(program, call, second, frame_at(program, call, frame, 0),
                      StoredSamples{references.all, second.image, own}, record);
    }
}

const SecondPass& second_pass_of(const TileCall& call, std::int64_t frame) {
    return record_of<SecondPass>(workspace(call, RealignPhase::second_pass), frame);
}

// All frames' motion in one tile: what drifts is found in all of them together.
void fill_motion(const RealignProgram& program, const TileCall& call) {
    const SecondReference second = second_reference_of(program, call);
    const ReferenceFacts& reference = *second.image.facts;
    const GainFacts& gain = *second.gain.facts;
    const GoodFrames found_by_first{program, call};
    const auto is_good = [&](std::int64_t frame) {
        return found_by_first(frame) && second_pass_of(call, frame).has_converged != 0.0;
    };
    MemoryRun run(call.target.data);
    auto* const rows = run.take<double>(program.frames * motion_columns);
    auto* const gains = run.take<double>(program.frames * most_gain_fields);
    auto* const scratch = run.take<double>(3 * most_gain_fields * most_gain_fields + 2 * most_gain_fields);
    std::int64_t good = 0;
    for (std::int64_t frame = 0; frame < program.frames; ++frame) {
        if (is_good(frame)) {
            std::copy_n(second_pass_of(call, frame).gain.whitened.data(), gain.count,
                        gains + good++ * gain.count);
        }
    }
    const double median_power = median_over_frames(
        program.frames, [&](std::int64_t frame) { return second_pass_of(call, frame).power; });
    std::int64_t rank = 0;
    if (gain.count > 0 && good >= least_frames_for_gain) {
        rank = shrink_gains(gains, good, gain.count,
                            std::max(std::sqrt(median_power), 0.003 * reference.mean), scratch);
    }
    // place: of the frame's row among the gains; negative: it has none.
    const auto final_motion = [&](std::int64_t frame, std::int64_t place) {
        const SecondPass& pass = second_pass_of(call, frame);
        Columns unknowns;
        const bool is_solved =
            rank > 0 && place >= 0
                ? unknowns_without_gain(gain, pass.equations, pass.gain, gains + place * gain.count, unknowns)
                : solve_equations(pass.equations, unknowns);
        return is_solved ? updated(pass.motion, rigid_step(unknowns), reference.centre) : pass.motion;
    };
    std::int64_t next = 0;
    for (std::int64_t frame = 0; frame < program.reference; ++frame) {
        next += is_good(frame) ? 1 : 0;
    }
    const AffineMatrix of_reference = final_motion(program.reference, is_good(program.reference) ? next : -1);
    next = 0;
    for (std::int64_t frame = 0; frame < program.frames; ++frame) {
        const FirstPass& first = first_pass_of(call, frame);
        const SecondPass& pass = second_pass_of(call, frame);
        const AffineMatrix motion = final_motion(frame, is_good(frame) ? next : -1);
        next += is_good(frame) ? 1 : 0;
        // Frame to reference: the reference's own is none, to the last bit.
        const AffineMatrix back =
            frame == program.reference ? AffineMatrix{} : of_reference * inverse(motion);
        double* const row = rows + frame * motion_columns;
        for (std::size_t i = 0; i < 12; ++i) {
            row[motion_matrix_begin + i] = back.rows[i / 4][i % 4];
        }
        row[motion_scale] = first.scale;
        row[motion_steps] = first.steps + pass.steps + 1.0;
        row[motion_has_converged] = is_good(frame) ? 1.0 : 0.0;
        row[motion_noise] = std::sqrt(pass.power);
        row[motion_dvars] = pass.dvars;
    }
}

// The table of the phases that resample: each frame's pull-back in place of the identity that was planned.
void fill_pull_backs(const RealignProgram& program, const TileCall& call) {
    const auto* const rows = reinterpret_cast<const double*>(workspace(call, RealignPhase::motion).data);
    std::memcpy(call.target.data, call.table.data(), call.table.size());
    for (std::int64_t frame = 0; frame < program.frames; ++frame) {
        AffineMatrix motion;
        for (std::size_t i = 0; i < 12; ++i) {
            motion.rows[i / 4][i % 4] = rows[frame * motion_columns + static_cast<std::int64_t>(i)];
        }
        const AffineMatrix map = frame == program.reference
                                     ? AffineMatrix{}
                                     : inverse(program.grid.to_mm) * inverse(motion) * program.grid.to_mm;
        PullBack pull_back;
        for (std::size_t row = 0; row < 3; ++row) {
            for (std::size_t column = 0; column < 3; ++column) {
                pull_back.matrix[row][column] = map.rows[row][column];
            }
            pull_back.offset[row] = map.rows[row][3];
        }
        std::memcpy(call.target.data + static_cast<std::size_t>(frame) * sizeof(PullBack), &pull_back,
                    sizeof(PullBack));
    }
}

}  // namespace

std::int64_t references_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out_references(program, run);
    return run.used();
}

std::int64_t second_reference_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out_second_reference(program, run);
    return run.used();
}

std::int64_t coarse_images_elements(const RealignProgram& program) {
    const std::int64_t elements = coarse_begin(program, program.levels + 1);
    MemoryRun run;
    run.take<float>(std::max<std::int64_t>(elements, 1));
    run.take<float>(elements);
    run.take<float>(elements);
    return run.used() / 4;
}

std::int64_t motion_elements(const RealignProgram& program) {
    MemoryRun run;
    run.take<double>(program.frames * motion_columns);
    run.take<double>(program.frames * most_gain_fields);
    run.take<double>(3 * most_gain_fields * most_gain_fields + 2 * most_gain_fields);
    return run.used() / 8;
}

void fill_estimation(RealignPhase phase, const RealignProgram& program, const TileCall& call) {
    switch (phase) {
    case RealignPhase::coefficients: return fill_coefficients(program, call);
    case RealignPhase::coarse_images: return fill_coarse_images(program, call);
    case RealignPhase::references: return fill_references(program, call);
    case RealignPhase::first_pass: return fill_first_pass(program, call);
    case RealignPhase::samples: return fill_samples(program, call);
    case RealignPhase::mean: return fill_mean(program, call);
    case RealignPhase::second_reference: return fill_second_reference(program, call);
    case RealignPhase::second_pass: return fill_second_pass(program, call);
    case RealignPhase::motion: return fill_motion(program, call);
    case RealignPhase::pull_backs: return fill_pull_backs(program, call);
    }
}

}  // namespace slab::kernels::realign
