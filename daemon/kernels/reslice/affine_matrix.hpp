#pragma once

// Kernels that include it by this name.
#include "common/geometry/affine_matrix.hpp"
