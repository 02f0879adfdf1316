#include "daemon/kernels/realign/references.hpp"

#include "daemon/kernels/realign/coarse_references.hpp"
#include "daemon/kernels/realign/information.hpp"
#include "daemon/kernels/realign/reference_slopes.hpp"

namespace slab::kernels::realign {
namespace {

SlabReferences lay_out(const RealignProgram& program, MemoryRun& run) {
    const std::int64_t capacity = Slabs(program.grid).capacity();
    SlabReferences references;
    references.first_pass = lay_out_reference(run, capacity);
    references.all = lay_out_reference(run, capacity);
    return references;
}

std::array<const float*, 3> readable(const std::array<float*, 3>& images) {
    return {images[0], images[1], images[2]};
}

}  // namespace

SlabReferences slab_references_of(const RealignProgram& program, const TileCall& call, std::int64_t slab) {
    MemoryRun run = row_of(workspace(call, RealignPhase::references), slab);
    return lay_out(program, run);
}

Reference first_pass_reference(const RealignProgram& program, const TileCall& call) {
    Reference reference;
    for (std::int64_t slab = 0; slab < Slabs(program.grid).count; ++slab) {
        reference.add(slab_references_of(program, call, slab).first_pass);
    }
    return reference;
}

Reference all_of_reference(const RealignProgram& program, const TileCall& call) {
    Reference reference;
    for (std::int64_t slab = 0; slab < Slabs(program.grid).count; ++slab) {
        reference.add(slab_references_of(program, call, slab).all);
    }
    return reference;
}

void fill_references(const RealignProgram& program, const TileCall& call) {
    const Slabs slabs(program.grid);
    const Thresholds& thresholds = thresholds_of(call);
    const Point& centre = head_of(call).centre;
    for (std::int64_t slab = call.tile.begin[0]; slab < call.tile.end[0]; ++slab) {
        MemoryRun run = row_of(call.target, slab);
        SlabReferences references = lay_out(program, run);
        const ReferenceSlopes slopes = reference_slopes_of(program, call, slab);
        ReferenceSource source{program.grid,
                               slabs.begin(slab),
                               slabs.end(slab),
                               slopes.value,
                               slopes.weight,
                               readable(slopes.slope),
                               readable(slopes.blurred_slope),
                               slopes.information,
                               thresholds.first_pass};
        make_reference(source, centre, references.first_pass);
        source.least_information = thresholds.all;
        make_reference(source, centre, references.all);
    }
}

std::int64_t references_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out(program, run);
    return run.used();
}

}  // namespace slab::kernels::realign
