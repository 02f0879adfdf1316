#include "daemon/worker/tile_run.hpp"

#include "daemon/kernels/kernel_registry.hpp"

namespace slab::daemon {

TileRun::TileRun(const BindOrder& order, std::byte* volume, std::span<std::byte> scratch)
    : order_(order), volume_(volume), scratch_(scratch) {
    for (std::size_t i = 0; i < order_.input_count; ++i) {
        const PlacedArray& input = order_.inputs[i];
        inputs_[i] = {volume_ + input.offset, input.dtype, input.shape};
    }
}

void TileRun::fill(std::int64_t tile) const {
    const kernels::TileCall call{
        .program = &order_.program,
        .inputs = {inputs_.data(), order_.input_count},
        .target = {volume_ + order_.output.offset, order_.output.dtype, order_.output.shape},
        .tile = order_.tiles.tile_box(tile),
        .scratch = scratch_,
    };
    kernels::run_tile(kernels::all_kernels()[order_.kernel], call);
}

}  // namespace slab::daemon
