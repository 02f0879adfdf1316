#pragma once

#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// Discrete Fourier transforms as numpy.fft's and scipy.fft's, over any axes.
Kernel fft_kernel();
Kernel ifft_kernel();
Kernel rfft_kernel();
Kernel irfft_kernel();

}  // namespace slab::kernels
