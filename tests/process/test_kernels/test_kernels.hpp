#pragma once

#include "daemon/kernels/kernel.hpp"

// Kernels that only the tests' daemon has. Each but the last copies its input to the output; what
// else it does is in its name.
namespace slab::kernels {

Kernel test_crash_kernel();  // crashes in the tile that holds the output element number `tile`
Kernel test_hang_kernel();   // never returns from that tile
Kernel test_slow_kernel();   // sleeps `milliseconds` in each tile, after it has filled half of it

// Works in three phases, with a table, a small workspace that all bands need, and one with a halo.
Kernel test_phases_kernel();

// What the plug-in tests/plugins/rows.c computes, for the benchmark.
Kernel test_rows_kernel();

// Tells what its plan() was given: see test_kernels.cpp.
Kernel test_table_kernel();
}  // namespace slab::kernels
