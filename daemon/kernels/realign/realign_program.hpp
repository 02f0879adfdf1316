#pragma once

#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/realign/volume_grid.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::kernels {

// What the phases of motion correction make, in this order; each is a workspace. Those of resampling follow, and the output.
enum class RealignPhase : std::uint8_t {
    spline_lines,   // where frames are few: each frame's spline, along two axes
    coefficients,   // of each frame's spline
    coarse_images,  // of each frame, behind each other, the coarsest last
    coarse_references,
    reference_slopes,  // of the reference frame, in all voxels
    thresholds,        // by which voxels of it are chosen
    references,        // those voxels
    coarse_pass,       // each frame's motion, by the coarse images
    first_step,        // where frames are few: what each slab says of a frame's motion
    second_step,
    third_step,
    first_pass,   // each frame's motion to the reference
    samples,      // each frame at the reference's voxels
    fluctuation,  // how much those change from frame to frame
    mean,         // of the samples, and how many there are
    second_slopes,
    second_reference,  // the mean's voxels
    gain_facts,
    second_equations,  // what each slab says of a frame's motion to the mean
    second_pass,       // each frame's motion to the mean
    motion,            // the result: a row for each frame
    pull_backs,        // the table of the phases that resample
};
inline constexpr std::size_t realign_phases = 22;

inline constexpr std::size_t most_coarse_levels = 2;

// A row of the result.
enum MotionColumn : std::size_t {
    motion_matrix_begin = 0,  // the frame's mm to the reference's: three rows of four
    motion_scale = 12,        // of the frame's intensity to the reference's
    motion_steps = 13,
    motion_has_converged = 14,
    motion_noise = 15,      // root of the mean square of what is left, in the image's unit
    motion_dvars = 16,      // root of the mean square of the change from the frame before; 0 of the first
    motion_std_dvars = 17,  // that against what noise alone would do
    motion_columns = 18,
};

struct RealignProgram {
    realign::VolumeGrid grid;
    std::int64_t frames = 1;
    // The frame that the first pass goes to; `frames`: the image of the reference, which is the input reference_input.
    std::int64_t reference = 0;
    std::int64_t reference_input = 0;
    std::int64_t mask_input = 0;         // 0: none
    bool is_mean_the_reference = false;  // in whose space the result is
    bool is_two_pass = true;             // the second goes to the mean; else to the reference again
    double smooth_fwhm = 0.0;            // mm
    double quality = 0.995;              // the share of the information by which the second pass goes
    std::int64_t levels = 0;             // coarse ones
    std::array<realign::Extents, most_coarse_levels> factors{};  // against the level before
    bool has_gain_fields = true;
    bool is_estimate_only = false;
    bool is_output_reversed = false;  // of the estimate: [column][row][frame] in memory
    SamplingProgram sampling;

    // Frames, and the image of the reference behind them.
    std::int64_t images() const { return frames + (reference_input > 0 ? 1 : 0); }
};
static_assert(sizeof(RealignProgram) <= Program::capacity);

namespace realign {

// The grid of a coarse image; level 0 is the frame's own.
inline VolumeGrid level_grid(const RealignProgram& program, std::int64_t level) {
    VolumeGrid grid = program.grid;
    for (std::int64_t l = 0; l < level; ++l) {
        const Extents& factors = program.factors[static_cast<std::size_t>(l)];
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const auto factor = static_cast<double>(factors[axis]);
            grid.extents[axis] /= factors[axis];
            for (auto& row : grid.to_mm.rows) {
                row[3] += row[axis] * (factor - 1.0) / 2.0;  // the middle of the block
            }
        }
        for (std::size_t axis = 0; axis < 3; ++axis) {
            for (auto& row : grid.to_mm.rows) {
                row[axis] *= static_cast<double>(factors[axis]);
            }
        }
    }
    return grid;
}

// Where a level's image begins among a frame's coarse images; past the last one: how many elements they have.
inline std::int64_t coarse_begin(const RealignProgram& program, std::int64_t level) {
    std::int64_t begin = 0;
    for (std::int64_t l = 1; l < level; ++l) {
        begin += level_grid(program, l).count();
    }
    return begin;
}

}  // namespace realign
}  // namespace slab::kernels
