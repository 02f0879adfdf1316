#include "daemon/kernels/realign/mean_image.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/references.hpp"

#include <algorithm>
#include <array>

namespace slab::kernels::realign {

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

void fill_mean(const RealignProgram& program, const TileCall& call) {
    const References references = references_of(program, call);
    const GoodFrames is_good(program, call);
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

}  // namespace slab::kernels::realign
