#include "daemon/kernels/realign/mean_image.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/reference_slopes.hpp"
#include "daemon/kernels/realign/references.hpp"

#include <algorithm>
#include <array>

namespace slab::kernels::realign {
namespace {

constexpr std::int64_t group = 256;

struct GroupMean {
    std::array<double, group> sums{};
    std::array<std::int32_t, group> covers{};

    void add(const float* samples, std::int64_t count) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            const bool is_there = samples[i] == samples[i];
            sums[i] += is_there ? static_cast<double>(samples[i]) : 0.0;
            covers[i] += is_there ? 1 : 0;
        }
    }
};

}  // namespace

void fill_samples(const RealignProgram& program, const TileCall& call) {
    const std::int64_t slabs = call.target.shape[1];
    const std::int64_t capacity = call.target.shape[2];
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        const SampledFrame sampled = frame_at(program, call, frame, 0);
        const AffineMatrix pull_back =
            pull_back_of(program.grid, first_pass_of(call, frame).motion, program.grid);
        for (std::int64_t slab = call.tile.begin[1]; slab < call.tile.end[1]; ++slab) {
            const ReferenceImage voxels = slab_references_of(program, call, slab).all;
            float* const samples =
                reinterpret_cast<float*>(call.target.data) + (frame * slabs + slab) * capacity;
            sample_voxels(sampled, voxels, pull_back, 0, voxels.facts->voxels, samples);
            // What no voxel of the reference needs is defined, too: a tile is written whole.
            std::fill(samples + voxels.facts->voxels, samples + capacity, 0.0F);
        }
    }
}

MeanImage mean_of(const RealignProgram& program, const TileCall& call) {
    const Slabs slabs(program.grid);
    const ConstArrayView& mean = workspace(call, RealignPhase::mean);
    const std::int64_t voxels = slabs.count * slabs.capacity();
    return {floats_of(mean, 0, voxels), floats_of(mean, 1, voxels)};
}

void fill_mean(const RealignProgram& program, const TileCall& call) {
    const Slabs slabs(program.grid);
    const GoodFrames is_good(program, call);
    for (std::int64_t slab = call.tile.begin[1]; slab < call.tile.end[1]; ++slab) {
        const std::int64_t begin = slab * slabs.capacity();
        float* const value = reinterpret_cast<float*>(call.target.data) + begin;
        float* const cover = value + slabs.count * slabs.capacity();
        std::copy_n(reference_slopes_of(program, call, slab).value, slabs.voxels(slab), value);
        std::fill(value + slabs.voxels(slab), value + slabs.capacity(), 0.0F);
        std::fill_n(cover, slabs.capacity(), 0.0F);
        const ReferenceImage voxels = slab_references_of(program, call, slab).all;
        for (std::int64_t first = 0; first < voxels.facts->voxels; first += group) {
            const std::int64_t count = std::min(group, voxels.facts->voxels - first);
            GroupMean mean;
            for (std::int64_t frame = 0; frame < program.frames; ++frame) {
                if (is_good(frame)) {
                    mean.add(samples_of(call, frame, slab) + first, count);
                }
            }
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
                const std::int64_t voxel = voxels.index[first + static_cast<std::int64_t>(i)] - begin;
                const auto frames = static_cast<double>(mean.covers[i]);
                cover[voxel] = static_cast<float>(frames);
                if (program.is_two_pass) {
                    value[voxel] = static_cast<float>(mean.sums[i] / std::max(frames, 1.0));
                }
            }
        }
    }
}

}  // namespace slab::kernels::realign
