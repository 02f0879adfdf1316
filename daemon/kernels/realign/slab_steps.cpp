#include "daemon/kernels/realign/slab_steps.hpp"

#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/references.hpp"

#include <algorithm>

namespace slab::kernels::realign {
namespace {

// Every slab's tile finds the same of what all slabs said the step before.
Alignment after(RealignPhase phase, const RealignProgram& program, const TileCall& call,
                const Reference& reference, std::int64_t frame) {
    const std::int64_t slabs = Slabs(program.grid).count;
    const auto step_of = [&](std::int64_t slab) -> const SlabStep& {
        return record_of<SlabStep>(workspace(call, phase), frame * slabs + slab);
    };
    Alignment alignment = step_of(0).before;
    if (alignment.is_over) {
        return alignment;
    }
    FrameEquations equations;
    for (std::int64_t slab = 0; slab < slabs; ++slab) {
        equations += step_of(slab).equations;
    }
    advance(alignment, equations, reference.facts, first_pass_options);
    return alignment;
}

FrameEquations equations_at(const SampledFrame& frame, const ReferenceImage& slab,
                            const AffineMatrix& pull_back) {
    return slab_equations(slab, [&](std::int64_t begin, std::int64_t count, float* to) {
        sample_voxels(frame, slab, pull_back, begin, count, to);
    });
}

}  // namespace

bool has_slab_steps(const RealignProgram& program) {
    return program.frames < few_frames && Slabs(program.grid).count > 1;
}

void fill_unused(const TileCall& call) {
    std::fill(call.target.data + call.tile.begin[0], call.target.data + call.tile.end[0], std::byte{});
}

void fill_slab_step(RealignPhase phase, const RealignProgram& program, const TileCall& call) {
    const Box& tile = call.tile;
    if (!has_slab_steps(program)) {
        fill_unused(call);
        return;
    }
    const Reference reference = first_pass_reference(program, call);
    const std::int64_t slabs = call.target.shape[1];
    for (std::int64_t frame = tile.begin[0]; frame < tile.end[0]; ++frame) {
        Alignment before = phase == slab_step_phases.front()
                               ? after_coarse_pass(call, frame)
                               : after(static_cast<RealignPhase>(static_cast<int>(phase) - 1), program, call,
                                       reference, frame);
        before.is_over = before.is_over || frame == program.reference || reference.facts.voxels == 0;
        const SampledFrame sampled = frame_at(program, call, frame, 0);
        const AffineMatrix pull_back = pull_back_of(program.grid, before.motion, program.grid);
        for (std::int64_t slab = tile.begin[1]; slab < tile.end[1]; ++slab) {
            auto& step =
                *new (call.target.data + (frame * slabs + slab) * slab_step_bytes) SlabStep{before, {}};
            if (!before.is_over) {
                step.equations =
                    equations_at(sampled, reference.slab[static_cast<std::size_t>(slab)], pull_back);
            }
        }
    }
}

Alignment after_slab_steps(const RealignProgram& program, const TileCall& call, const Reference& reference,
                           std::int64_t frame) {
    return after(slab_step_phases.back(), program, call, reference, frame);
}

}  // namespace slab::kernels::realign
