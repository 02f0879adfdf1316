#include "daemon/kernels/realign/frame_images.hpp"

#include "daemon/kernels/realign/input_voxels.hpp"
#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>

namespace slab::kernels::realign {
namespace {

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
                load_voxels(program, call, frame, line * n[2], n[2], voxels);
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

}  // namespace

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

std::int64_t coarse_images_elements(const RealignProgram& program) {
    const std::int64_t elements = coarse_begin(program, program.levels + 1);
    MemoryRun run;
    run.take<float>(std::max<std::int64_t>(elements, 1));
    run.take<float>(elements);
    run.take<float>(elements);
    return run.used() / 4;
}

}  // namespace slab::kernels::realign
