#include "daemon/kernels/realign/second_pass.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/gauss_newton.hpp"
#include "daemon/kernels/realign/mean_image.hpp"
#include "daemon/kernels/realign/references.hpp"
#include "daemon/kernels/realign/sample_source.hpp"
#include "daemon/kernels/realign/second_reference.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {
namespace {

constexpr int most_steps = 8;

void find_change(const float* samples, const float* before, std::int64_t voxels, SecondEquations& record) {
    for (std::int64_t i = 0; i < voxels; ++i) {
        const float change = samples[i] - before[i];
        const bool is_there = change == change;
        record.squares += is_there ? static_cast<double>(change) * static_cast<double>(change) : 0.0;
        record.count += is_there ? 1.0 : 0.0;
    }
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
                   const SampledFrame& frame, StoredFrame& stored, SecondPass& record) {
    const Reference& reference = second.image;
    const std::array<Point, 8> corners = corners_of(reference.facts);
    MovedFrame moved(frame, reference, call.scratch.data());
    Columns unknowns{};
    bool is_solved = solve_equations(record.equations, unknowns);
    RigidStep step = rigid_step(unknowns);
    while (is_solved && longest_move(step, corners) >= tolerance_in_mm && record.steps < most_steps) {
        record.motion = updated(record.motion, step, reference.facts.centre);
        moved.move(pull_back_of(program.grid, record.motion, program.grid), record.steps >= 2.0);
        record.steps += 1.0;
        record.equations = frame_equations(reference, moved);
        is_solved = solve_equations(record.equations, unknowns);
        step = rigid_step(unknowns);
    }
    record.has_converged = is_solved && longest_move(step, corners) < tolerance_in_mm ? 1.0 : 0.0;
    record.power = power_left(record.equations, unknowns);
    if (second.facts->waves.count > 0) {
        moved.keep_missing();
        record.steps > 0.0
            ? find_gain(reference, second.gain, *second.facts, moved, record.equations, record.gain)
            : find_gain(reference, second.gain, *second.facts, stored, record.equations, record.gain);
    }
}

}  // namespace

void fill_second_equations(const RealignProgram& program, const TileCall& call) {
    const std::int64_t slabs = call.target.shape[1];
    for (std::int64_t slab = call.tile.begin[1]; slab < call.tile.end[1]; ++slab) {
        const ReferenceImage first = slab_references_of(program, call, slab).all;
        const ReferenceImage second = second_slab_of(program, call, slab).image;
        for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
            auto& record =
                *new (call.target.data + (frame * slabs + slab) * second_equations_bytes) SecondEquations{};
            const float* const own = samples_of(call, frame, slab);
            StoredSlab stored{first, second, own};
            record.equations = slab_equations(second, [&](std::int64_t begin, std::int64_t count, float* to) {
                stored.read(begin, count, to);
            });
            if (frame > 0 && frame < program.frames) {
                find_change(own, samples_of(call, frame - 1, slab), first.facts->voxels, record);
            }
        }
    }
}

void fill_second_pass(const RealignProgram& program, const TileCall& call) {
    const Reference first = all_of_reference(program, call);
    const SecondReference second = second_reference_of(program, call);
    const std::int64_t slabs = first.count;
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        auto& record = *new (call.target.data + frame * second_pass_bytes) SecondPass{};
        record.motion = first_pass_of(call, frame).motion;
        SecondEquations all;
        for (std::int64_t slab = 0; slab < slabs; ++slab) {
            const auto& one = record_of<SecondEquations>(workspace(call, RealignPhase::second_equations),
                                                         frame * slabs + slab);
            record.equations += one.equations;
            all.squares += one.squares;
            all.count += one.count;
        }
        record.dvars = all.count > 0.0 ? std::sqrt(all.squares / all.count) : 0.0;
        StoredFrame stored{first, second.image, samples_of(call, frame, 0), Slabs(program.grid).capacity()};
        align_to_mean(program, call, second, frame_at(program, call, frame, 0), stored, record);
    }
}

}  // namespace slab::kernels::realign
