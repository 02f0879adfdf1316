#include "daemon/worker/tile_run.hpp"

#include "daemon/kernels/kernel_registry.hpp"

namespace slab::daemon {

TileRun::TileRun(const BindOrder& order, std::byte* volume, std::span<std::byte> scratch)
    : order_(order), volume_(volume), scratch_(scratch) {
    for (std::size_t i = 0; i < order_.input_count; ++i) {
        const PlacedArray& input = order_.inputs[i];
        inputs_[i] = {volume_ + input.offset, input.dtype, input.shape};
    }
    for (std::size_t i = 0; i < order_.workspace_count; ++i) {
        const PlacedArray& workspace = order_.workspaces[i];
        workspaces_[i] = {volume_ + workspace.offset, workspace.dtype, workspace.shape};
    }
    const PlacedArray& target =
        order_.phase < order_.workspace_count ? order_.workspaces[order_.phase] : order_.output;
    target_ = {volume_ + target.offset, target.dtype, target.shape};
}

void TileRun::fill(std::int64_t tile) const {
    const kernels::TileCall call{
        .program = &order_.program,
        .inputs = {inputs_.data(), order_.input_count},
        .target = target_,
        .tile = order_.tiles.tile_box(tile),
        .scratch = scratch_,
        .phase = order_.phase,
        .workspaces = {workspaces_.data(), order_.workspace_count},
        .table = {volume_ + order_.table_offset, static_cast<std::size_t>(order_.table_bytes)},
    };
    kernels::run_tile(kernels::all_kernels()[order_.kernel], call);
}

}  // namespace slab::daemon
