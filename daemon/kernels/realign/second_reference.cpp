#include "daemon/kernels/realign/second_reference.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/mean_image.hpp"
#include "daemon/kernels/realign/reference_slopes.hpp"
#include "daemon/kernels/realign/references.hpp"

#include <algorithm>

namespace slab::kernels::realign {
namespace {

SecondSlab lay_out(const RealignProgram& program, MemoryRun& run) {
    const std::int64_t capacity = Slabs(program.grid).capacity();
    SecondSlab slab;
    slab.image = lay_out_reference(run, capacity);
    slab.gain = lay_out_gain_fields(run, capacity);
    slab.normal = run.take<GainNormal>(1);
    return slab;
}

GainWaves waves_of(const RealignProgram& program, const ReferenceFacts& reference) {
    const bool has_fields =
        program.has_gain_fields && program.frames >= least_frames_for_gain && reference.voxels > 0;
    return has_fields ? choose_waves(reference) : GainWaves{};
}

// Of the slab's planes: the first reference's weights, where enough frames have the voxel.
void take_weights(const ReferenceImage& first, const float* cover, double least_cover, std::int64_t begin,
                  std::int64_t count, float* to) {
    std::fill_n(to, count, 0.0F);
    for (std::int64_t i = 0; i < first.facts->voxels; ++i) {
        const std::int64_t voxel = first.index[i] - begin;
        to[voxel] = static_cast<double>(cover[voxel]) > least_cover ? first.weight[i] : 0.0F;
    }
}

}  // namespace

SecondSlab second_slab_of(const RealignProgram& program, const TileCall& call, std::int64_t slab) {
    MemoryRun run = row_of(workspace(call, RealignPhase::second_reference), slab);
    return lay_out(program, run);
}

void fill_second_reference(const RealignProgram& program, const TileCall& call) {
    const Slabs slabs(program.grid);
    const MeanImage mean = mean_of(program, call);
    const ReferenceFacts first = all_of_reference(program, call).facts;
    const GainWaves waves = waves_of(program, first);
    const double least_cover =
        program.is_two_pass ? 0.5 * static_cast<double>(GoodFrames(program, call).count()) : -1.0;
    for (std::int64_t slab = call.tile.begin[0]; slab < call.tile.end[0]; ++slab) {
        MemoryRun run = row_of(call.target, slab);
        SecondSlab second = lay_out(program, run);
        const std::int64_t begin = slabs.begin(slab) * slabs.plane_voxels;
        // The fields' weighted values come later: there is room for the weights.
        float* const weight = second.gain.weighted_value;
        take_weights(slab_references_of(program, call, slab).all, mean.cover + begin, least_cover, begin,
                     slabs.voxels(slab), weight);
        const SecondSlopes slopes = second_slopes_of(program, call, slab);
        make_reference({program.grid,
                        slabs.begin(slab),
                        slabs.end(slab),
                        mean.value + begin,
                        weight,
                        {slopes.slope[0], slopes.slope[1], slopes.slope[2]},
                        {slopes.blurred_slope[0], slopes.blurred_slope[1], slopes.blurred_slope[2]}},
                       first.centre, second.image);
        new (second.normal) GainNormal{};
        if (waves.count > 0) {
            make_gain_fields(second.image, first, second.gain);
            sum_gain_normal(second.image, second.gain, waves, *second.normal);
        }
    }
}

void fill_gain_facts(const RealignProgram& program, const TileCall& call) {
    auto& facts = *new (call.target.data) GainFacts{};
    facts.waves = waves_of(program, all_of_reference(program, call).facts);
    Reference reference;
    for (std::int64_t slab = 0; slab < Slabs(program.grid).count; ++slab) {
        const SecondSlab second = second_slab_of(program, call, slab);
        reference.add(second.image);
        facts.normal += *second.normal;
    }
    finish_gain_facts(reference.facts, facts);
}

SecondReference second_reference_of(const RealignProgram& program, const TileCall& call) {
    SecondReference reference;
    reference.facts = &record_of<GainFacts>(workspace(call, RealignPhase::gain_facts), 0);
    for (std::int64_t slab = 0; slab < Slabs(program.grid).count; ++slab) {
        const SecondSlab second = second_slab_of(program, call, slab);
        reference.image.add(second.image);
        reference.gain[static_cast<std::size_t>(slab)] = second.gain;
    }
    return reference;
}

std::int64_t second_reference_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out(program, run);
    return run.used();
}

}  // namespace slab::kernels::realign
