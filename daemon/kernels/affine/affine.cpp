#include "daemon/kernels/affine/affine.hpp"

#include "daemon/kernels/sampling/sampling.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

namespace slab::kernels {
namespace {

KernelDescription description() {
    KernelDescription affine{
        .name = "affine",
        .summary = "rotate, shear, scale and move an array by a matrix",
        .details =
            "scipy.ndimage.affine_transform: output element k shows the input at the coordinate\n"
            "  matrix * k + offset\n"
            "in the array's own index order, samples at whole numbers, by a B-spline of the order. The "
            "matrix is n numbers (a diagonal), n x n, n x n+1 (the last column is the offset), or n+1 x "
            "n+1 (and the last row is 0 ... 0 1). Integers are rounded half away from zero and clamped, a "
            "NaN becomes 0. NaN and infinity: order 0 moves them, order 1 leaves out a neighbour whose "
            "weight is 0, higher orders spread them. The result does not depend on how the work is "
            "divided. The output streams, the input must fit.",
        .inputs = {{"input", "1 to 3 dimensions"}},
        .parameters =
            {{"matrix", ParameterType::table, "from output indices to input coordinates", "", {}, ""},
             {"offset", ParameterType::real_per_axis, "added to the coordinates; default 0", "", {}, ""},
             {"shape",
              ParameterType::integer_per_axis,
              "the output's shape; default the input's",
              ">= 1",
              {},
              ""},
             {"order",
              ParameterType::integer,
              "of the spline: 0 nearest, 1 linear, 3 cubic",
              "0 to 5",
              {},
              "3"}},
        .dtypes = "all",
        .reads = Reads::anywhere,
        .example = "slab run affine volume.npy -o turned.npy --matrix matrix.npy --order 3",
    };
    for (ParameterDescription& parameter : spline_parameters()) {
        affine.parameters.push_back(std::move(parameter));
    }
    return affine;
}

const KernelDescription& describe() {
    static const KernelDescription affine = description();
    return affine;
}

}  // namespace

Kernel affine_kernel() {
    return {describe, plan_affine, fill_sampling_scalar, fill_sampling_simd, sampling_band_reads};
}

}  // namespace slab::kernels
