#include "daemon/kernels/realign/second_pass.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/gauss_newton.hpp"
#include "daemon/kernels/realign/references.hpp"
#include "daemon/kernels/realign/sample_source.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {
namespace {

constexpr int most_steps = 8;

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

// One linear step from the samples that are there already, which series_motion takes; only a frame whose step is long is
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
    while (is_solved && longest_move(step, corners) >= tolerance_in_mm && record.steps < most_steps) {
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

}  // namespace

void fill_second_pass(const RealignProgram& program, const TileCall& call) {
    const References references = references_of(program, call);
    const SecondReference second = second_reference_of(program, call);
    const ConstArrayView& samples = workspace(call, RealignPhase::samples);
    const std::int64_t pitch = program.grid.count();
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        auto& record = *new (call.target.data + frame * second_pass_bytes) SecondPass{};
        record.motion = first_pass_of(call, frame).motion;
        const float* const own = floats_of(samples, frame, pitch);
        if (frame > 0 && frame < program.frames) {
            record.dvars =
                change_between(own, floats_of(samples, frame - 1, pitch), references.all.facts->voxels);
        }
        align_to_mean(program, call, second, frame_at(program, call, frame, 0),
                      StoredSamples{references.all, second.image, own}, record);
    }
}

}  // namespace slab::kernels::realign
