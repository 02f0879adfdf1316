#include "daemon/kernels/affine/affine.hpp"
#include "daemon/kernels/fold/fold.hpp"
#include "daemon/kernels/gaussian/gaussian.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/kernels/map/map.hpp"
#include "daemon/kernels/outer/outer.hpp"
#include "daemon/kernels/reslice/reslice.hpp"
#include "daemon/kernels/zoom/zoom.hpp"
#include "tests/process/test_kernels/test_kernels.hpp"

#include <array>

namespace slab::kernels {

std::span<const Kernel> built_in_kernels() {
    static const std::array kernels{zoom_kernel(),      outer_kernel(),       affine_kernel(),
                                    reslice_kernel(),   map_kernel(),         fold_kernel(),
                                    gaussian_kernel(),  test_crash_kernel(),  test_hang_kernel(),
                                    test_slow_kernel(), test_phases_kernel(), test_table_kernel(),
                                    test_rows_kernel()};
    return kernels;
}

}  // namespace slab::kernels
