#pragma once

#include "daemon/kernels/plugin/plugin_kernel.hpp"

namespace slab::kernels {

// The program of a plug-in's kernel; its parameters are in the table.
struct PluginProgram {
    std::uint32_t is_turned = 0;  // the rules' axes are those of the arrays in the opposite order
};

Expected<KernelPlan> plan_plugin(const PluginKernel& kernel, const PlanRequest& request);

AxisRange plugin_band_reads(const PluginKernel& kernel, const BandQuery& query);

// Shows the plug-in's function its views. What lies at addresses that are no multiples of the elements' size is copied
// first, and a tile that does afterwards.
void fill_plugin_tile(const PluginKernel& kernel, slab_fill fill, const TileCall& call);

}  // namespace slab::kernels
