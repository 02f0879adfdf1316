#pragma once

#include <cstdint>
#include <vector>

namespace slab::kernels {

// The weights with which samples i - radius, ... i + radius make up a Gaussian at i, of sum 1, or its derivative of order
// 1 or 2: as scipy.ndimage.gaussian_filter1d computes them. sigma > 0.
std::vector<double> gaussian_weights(double sigma, int derivative, std::int64_t radius);

}  // namespace slab::kernels
