#include "daemon/kernels/realign/coarse_references.hpp"

#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/input_voxels.hpp"
#include "daemon/kernels/realign/soft_mask.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>

namespace slab::kernels::realign {
namespace {

// The finest of the levels here; the frame's own where there is no other.
std::int64_t finest_level(const RealignProgram& program) {
    return std::min<std::int64_t>(program.levels, 1);
}

struct CoarseReferences {
    HeadFacts* head = nullptr;
    std::array<ReferenceImage, most_coarse_levels + 1> level{};  // from 1 on
    // Images that they are made with, of the finest level's size.
    float* frame = nullptr;
    float* weight = nullptr;
    std::array<float*, 3> slope{};
    float* other = nullptr;
    float* third = nullptr;
};

CoarseReferences lay_out(const RealignProgram& program, MemoryRun& run) {
    CoarseReferences references;
    references.head = run.take<HeadFacts>(1);
    for (std::int64_t level = 1; level <= program.levels; ++level) {
        references.level[static_cast<std::size_t>(level)] =
            lay_out_reference(run, level_grid(program, level).count());
    }
    const std::int64_t count = level_grid(program, finest_level(program)).count();
    // Of the frame itself there is an image where there are no levels; a mask is read in its size.
    const std::int64_t frame_count =
        program.levels == 0 || program.mask_input > 0 ? program.grid.count() : count;
    references.frame = run.take<float>(frame_count);
    references.weight = run.take<float>(frame_count);
    references.other = run.take<float>(frame_count);
    for (float*& slope : references.slope) {
        slope = run.take<float>(count);
    }
    references.third = run.take<float>(count);
    return references;
}

// The mask that was given, or a soft one of the image's own: in `weight`. Returns its brightness.
float make_weight(const RealignProgram& program, const TileCall& call, std::int64_t level, const float* image,
                  const CoarseReferences& shop) {
    if (program.mask_input > 0) {
        load_mask(program, call, level, shop.weight, shop.other);
        return 0.0F;
    }
    return make_soft_mask(image, level_grid(program, level), shop.weight, shop.other, shop.third);
}

Point centre_of(const float* weight, const VolumeGrid& grid) {
    Point sum{};
    double weights = 0.0;
    for (std::int64_t z = 0; z < grid.extents[0]; ++z) {
        for (std::int64_t y = 0; y < grid.extents[1]; ++y) {
            for (std::int64_t x = 0; x < grid.extents[2]; ++x, ++weight) {
                const double share = *weight > least_weight ? static_cast<double>(*weight) : 0.0;
                sum[0] += share * static_cast<double>(z);
                sum[1] += share * static_cast<double>(y);
                sum[2] += share * static_cast<double>(x);
                weights += share;
            }
        }
    }
    for (double& one : sum) {
        one = weights > 0.0 ? one / weights : 0.0;
    }
    return applied(grid.to_mm, sum);
}

}  // namespace

const HeadFacts& head_of(const TileCall& call) {
    return record_of<HeadFacts>(workspace(call, RealignPhase::coarse_references), 0);
}

Reference coarse_reference(const RealignProgram& program, const TileCall& call, std::int64_t level) {
    MemoryRun run(const_cast<std::byte*>(workspace(call, RealignPhase::coarse_references).data));
    Reference reference;
    reference.add(lay_out(program, run).level[static_cast<std::size_t>(level)]);
    return reference;
}

void fill_coarse_references(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(call.target.data);
    CoarseReferences references = lay_out(program, run);
    HeadFacts& head = *new (references.head) HeadFacts{};
    for (std::int64_t level = finest_level(program); level <= program.levels; ++level) {
        const VolumeGrid grid = level_grid(program, level);
        const float* image = references.frame;
        if (level == 0) {
            load_voxels(program, call, program.reference, 0, grid.count(), references.frame);
        } else {
            image = frame_at(program, call, program.reference, level).data;
        }
        const float brightness = make_weight(program, call, level, image, references);
        if (level == finest_level(program)) {
            head = {brightness, centre_of(references.weight, grid)};
        }
        if (level == 0) {
            return;
        }
        for (std::size_t axis = 0; axis < 3; ++axis) {
            take_difference(image, grid.extents, axis, references.slope[axis]);
        }
        const std::array<const float*, 3> slope{references.slope[0], references.slope[1],
                                                references.slope[2]};
        make_reference({grid, 0, grid.extents[0], image, references.weight, slope, slope}, head.centre,
                       references.level[static_cast<std::size_t>(level)]);
    }
}

std::int64_t coarse_references_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out(program, run);
    return run.used();
}

}  // namespace slab::kernels::realign
