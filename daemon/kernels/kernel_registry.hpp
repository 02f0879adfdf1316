#pragma once

#include "daemon/kernels/kernel.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels {

// The kernels of this program. Defined once per program in a list (kernel_list.cpp; the tests' daemon has its own list
// with kernels that crash or hang).
std::span<const Kernel> built_in_kernels();

// Those, then the plug-ins', in the order of `slab kernels`.
std::span<const Kernel> all_kernels();

// Only at the start of the process, before any kernel is referred to and before the first fork: all processes number
// the kernels alike.
void add_plugin_kernels(std::vector<Kernel> kernels);

// Null when there is none of that name.
const Kernel* find_kernel(std::string_view name);

// The levels that select_simd_level() takes on this machine, the fastest first, "scalar" last.
std::vector<std::string> simd_levels();

// The instruction set that `fill` runs with on this machine: "scalar", "SSE4", "AVX2", "AVX3", ... Set by the
// environment variable SLABD_SIMD (scalar, or a Highway target's name as the highest allowed, in any case);
// null or empty is the best of the machine. Read once, by select_simd_level() at the start of the process.
// False, and nothing changed, when the text names no level of this machine.
bool select_simd_level(const char* maybe_level);
std::string_view simd_level();

// Runs the tile by `fill`, or by `fill_scalar` when the level is scalar.
void run_tile(const Kernel& kernel, const TileCall& call) noexcept;

}  // namespace slab::kernels
