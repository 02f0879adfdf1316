#include "daemon/kernels/realign/series_motion.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/fluctuation.hpp"
#include "daemon/kernels/realign/gauss_newton.hpp"
#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/second_pass.hpp"
#include "daemon/kernels/realign/second_reference.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace slab::kernels::realign {
namespace {

// The result, then what it is made with.
struct MotionRows {
    double* rows = nullptr;
    double* gains = nullptr;
    double* solver = nullptr;
};

MotionRows lay_out_rows(const RealignProgram& program, MemoryRun& run) {
    MotionRows motion;
    motion.rows = run.take<double>(program.frames * motion_columns);
    motion.gains = run.take<double>(program.frames * most_gain_fields);
    motion.solver = run.take<double>(3 * most_gain_fields * most_gain_fields + 2 * most_gain_fields);
    return motion;
}

double median_power(const RealignProgram& program, const TileCall& call) {
    const std::span powers(reinterpret_cast<double*>(call.scratch.data()),
                           static_cast<std::size_t>(program.frames));
    for (std::size_t frame = 0; frame < powers.size(); ++frame) {
        powers[frame] = second_pass_of(call, static_cast<std::int64_t>(frame)).power;
    }
    return median_of(powers);
}

// The reference's own motion is none, to the last bit.
bool stays_as_it_is(const RealignProgram& program, std::int64_t frame) {
    return !program.is_mean_the_reference && frame == program.reference;
}

// What every frame's second pass says, less what drifts in all of them.
class MotionOfAll {
  public:
    MotionOfAll(const RealignProgram& program, const TileCall& call, const MotionRows& rows)
        : call_(call), is_found_(program, call), second_(second_reference_of(program, call)),
          gains_(rows.gains) {
        const GainFacts& gain = *second_.facts;
        std::int64_t good = 0;
        for (std::int64_t frame = 0; frame < program.frames; ++frame) {
            if (is_good(frame)) {
                std::copy_n(second_pass_of(call, frame).gain.whitened.data(), gain.waves.count,
                            gains_ + good++ * gain.waves.count);
            }
        }
        if (gain.waves.count > 0 && good >= least_frames_for_gain) {
            const double noise = std::sqrt(median_power(program, call));
            rank_ = shrink_gains(gains_, good, gain.waves.count,
                                 std::max(noise, 0.003 * second_.image.facts.mean()), rows.solver);
        }
    }

    bool is_good(std::int64_t frame) const {
        return is_found_(frame) && second_pass_of(call_, frame).has_converged != 0.0;
    }

    // Nothing of the frame was found, or it would lie outside of what the reference shows. Never one that converged: of a
    // small mask's voxels none may be left where they were.
    bool is_lost(std::int64_t frame, const AffineMatrix& motion) const {
        if (is_good(frame)) {
            return false;
        }
        std::array<Point, 8> corners = corners_of(second_.image.facts);
        const Point low = corners.front();
        const Point high = corners.back();
        const double diagonal = std::hypot(high[0] - low[0], high[1] - low[1], high[2] - low[2]);
        for (Point& corner : corners) {
            for (std::size_t axis = 0; axis < 3; ++axis) {
                corner[axis] += second_.image.facts.centre[axis];
            }
        }
        return !(first_pass_of(call_, frame).scale > 0.0 && longest_move(motion, corners) <= diagonal);
    }

    // The reference's mm to the frame's. place: of the frame's row among the good frames' gains; negative: it has none.
    AffineMatrix motion(std::int64_t frame, std::int64_t place) const {
        const SecondPass& pass = second_pass_of(call_, frame);
        const GainFacts& gain = *second_.facts;
        Columns unknowns;
        const bool is_solved = rank_ > 0 && place >= 0
                                   ? unknowns_without_gain(gain, pass.equations, pass.gain,
                                                           gains_ + place * gain.waves.count, unknowns)
                                   : solve_equations(pass.equations, unknowns);
        return is_solved ? updated(pass.motion, rigid_step(unknowns), second_.image.facts.centre)
                         : pass.motion;
    }

    // Of the reference frame, in whose space the result is; an image of the reference has no place among the gains.
    AffineMatrix motion_of_reference(const RealignProgram& program) const {
        if (program.is_mean_the_reference) {
            return {};
        }
        if (program.reference >= program.frames || !is_good(program.reference)) {
            const AffineMatrix found = motion(program.reference, -1);
            return is_lost(program.reference, found) ? AffineMatrix{} : found;
        }
        std::int64_t place = 0;
        for (std::int64_t frame = 0; frame < program.reference; ++frame) {
            place += is_good(frame) ? 1 : 0;
        }
        return motion(program.reference, place);
    }

  private:
    const TileCall& call_;
    GoodFrames is_found_;
    SecondReference second_;
    double* gains_;
    std::int64_t rank_ = 0;
};

}  // namespace

void fill_motion(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(call.target.data);
    const MotionRows rows = lay_out_rows(program, run);
    const MotionOfAll all(program, call, rows);
    const AffineMatrix of_reference = all.motion_of_reference(program);
    // Of frames that are compared by way of a reference image which was not found in their mean nothing is known.
    const bool has_reference =
        program.reference < program.frames || second_pass_of(call, program.reference).has_converged != 0.0;
    const double change = expected_change(call);
    std::int64_t place = 0;
    for (std::int64_t frame = 0; frame < program.frames; ++frame) {
        const FirstPass& first = first_pass_of(call, frame);
        const SecondPass& pass = second_pass_of(call, frame);
        const bool is_good = all.is_good(frame);
        const AffineMatrix motion = all.motion(frame, is_good ? place : -1);
        place += is_good ? 1 : 0;
        const bool stays = stays_as_it_is(program, frame) || all.is_lost(frame, motion);
        const AffineMatrix back = stays ? AffineMatrix{} : of_reference * inverse(motion);
        double* const row = rows.rows + frame * motion_columns;
        for (std::size_t i = 0; i < 12; ++i) {
            row[motion_matrix_begin + i] = back.rows[i / 4][i % 4];
        }
        row[motion_scale] = first.scale;
        row[motion_steps] = first.steps + pass.steps + 1.0;
        row[motion_has_converged] = is_good && has_reference ? 1.0 : 0.0;
        row[motion_noise] = std::sqrt(pass.power);
        row[motion_dvars] = pass.dvars;
        row[motion_std_dvars] = change > 0.0 ? pass.dvars / change : 0.0;
    }
}

std::int64_t motion_elements(const RealignProgram& program) {
    MemoryRun run;
    lay_out_rows(program, run);
    return run.used() / 8;
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
        const AffineMatrix map = stays_as_it_is(program, frame)
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

}  // namespace slab::kernels::realign
