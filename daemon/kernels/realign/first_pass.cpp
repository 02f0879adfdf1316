#include "daemon/kernels/realign/first_pass.hpp"

#include "daemon/kernels/realign/coarse_references.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/references.hpp"
#include "daemon/kernels/realign/slab_steps.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {
namespace {

constexpr double coarse_tolerance_in_voxels = 0.02;
constexpr int most_coarse_steps = 30;
// Of a frame's intensity against the median's, either way: else it is not that head.
constexpr double most_scale = 3.0;

// The steps of a level are added to those before.
void record_level(const Alignment& found, FirstPass& record) {
    record.motion = found.motion;
    record.steps += found.steps;
    record.scale = found.scale;
    record.has_converged = found.has_converged ? 1.0 : 0.0;
}

}  // namespace

void fill_coarse_pass(const RealignProgram& program, const TileCall& call) {
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        auto& record = *new (call.target.data + frame * first_pass_bytes) FirstPass{};
        for (std::int64_t level = program.levels; level > 0 && frame != program.reference; --level) {
            const VolumeGrid grid = level_grid(program, level);
            const double voxel = std::cbrt(std::abs(determinant(grid.to_mm)));
            Alignment alignment{.motion = record.motion};
            align(frame_at(program, call, frame, level), coarse_reference(program, call, level), grid,
                  {coarse_tolerance_in_voxels * voxel, most_coarse_steps}, call.scratch.data(), alignment);
            record_level(alignment, record);
        }
    }
}

Alignment after_coarse_pass(const TileCall& call, std::int64_t frame) {
    return {.motion = record_of<FirstPass>(workspace(call, RealignPhase::coarse_pass), frame).motion};
}

void fill_first_pass(const RealignProgram& program, const TileCall& call) {
    const Reference reference = first_pass_reference(program, call);
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        auto& record = *new (call.target.data + frame * first_pass_bytes) FirstPass{};
        if (frame == program.reference) {
            continue;
        }
        record = record_of<FirstPass>(workspace(call, RealignPhase::coarse_pass), frame);
        Alignment alignment = has_slab_steps(program) ? after_slab_steps(program, call, reference, frame)
                                                      : after_coarse_pass(call, frame);
        align(frame_at(program, call, frame, 0), reference, program.grid, first_pass_options,
              call.scratch.data(), alignment);
        record_level(alignment, record);
    }
}

double median_of(std::span<double> numbers) {
    if (numbers.empty()) {
        return 0.0;
    }
    const std::size_t middle = numbers.size() / 2;
    const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(middle);
    std::nth_element(numbers.begin(), at, numbers.end());
    const double upper = *at;
    const double lower = numbers.size() % 2 == 1 ? upper : *std::max_element(numbers.begin(), at);
    return 0.5 * (lower + upper);
}

GoodFrames::GoodFrames(const RealignProgram& program, const TileCall& call) : program_(program), call_(call) {
    const std::span scales(reinterpret_cast<double*>(call.scratch.data()),
                           static_cast<std::size_t>(program.frames));
    for (std::size_t frame = 0; frame < scales.size(); ++frame) {
        scales[frame] = first_pass_of(call, static_cast<std::int64_t>(frame)).scale;
    }
    median_scale_ = median_of(scales);
}

bool GoodFrames::operator()(std::int64_t frame) const {
    const FirstPass& pass = first_pass_of(call_, frame);
    const double scale = pass.scale / median_scale_;
    return pass.has_converged != 0.0 && scale > 1.0 / most_scale && scale < most_scale;
}

std::int64_t GoodFrames::count() const {
    std::int64_t good = 0;
    for (std::int64_t frame = 0; frame < program_.frames; ++frame) {
        good += (*this)(frame) ? 1 : 0;
    }
    return good;
}

}  // namespace slab::kernels::realign
