#include "daemon/kernels/affine/affine.hpp"
#include "daemon/kernels/correlate/correlate.hpp"
#include "daemon/kernels/fft/fft.hpp"
#include "daemon/kernels/fold/fold.hpp"
#include "daemon/kernels/gaussian/gaussian.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/kernels/map/map.hpp"
#include "daemon/kernels/matmul/matmul.hpp"
#include "daemon/kernels/order_statistics/order_statistics.hpp"
#include "daemon/kernels/outer/outer.hpp"
#include "daemon/kernels/realign/realign.hpp"
#include "daemon/kernels/reslice/reslice.hpp"
#include "daemon/kernels/smooth/smooth.hpp"
#include "daemon/kernels/uniform/uniform.hpp"
#include "daemon/kernels/zoom/zoom.hpp"

#include <array>

namespace slab::kernels {

std::span<const Kernel> built_in_kernels() {
    static const std::array kernels{
        zoom_kernel(),    affine_kernel(),  reslice_kernel(),  realign_kernel(),   smooth_kernel(),
        outer_kernel(),   uniform_kernel(), gaussian_kernel(), correlate_kernel(), convolve_kernel(),
        minimum_kernel(), median_kernel(),  maximum_kernel(),  map_kernel(),       fold_kernel(),
        matmul_kernel(),  fft_kernel(),     ifft_kernel(),     rfft_kernel(),      irfft_kernel()};
    return kernels;
}

}  // namespace slab::kernels
