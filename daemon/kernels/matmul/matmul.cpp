#include "daemon/kernels/matmul/matmul.hpp"

#include "daemon/kernels/matmul/matmul_program.hpp"

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "matmul",
        .summary = "matrix product, of stacks of matrices too",
        .details =
            "numpy.matmul: the last two axes are the matrices, those before them broadcast. A vector is a "
            "row on the left and a column on the right; two vectors are refused. Both arrays have one "
            "dtype, and so has the result.\n"
            "Computed by OpenBLAS, on blocks of the output of up to 4 MiB each, all of the inner size in "
            "one call. The blocks lie on one grid of the output, which depends on the shapes and the "
            "dtype alone: the result does not depend on tiles, bands and workers (it does depend on the "
            "processor). Rows of a stream through the volume; b must fit. Stacks must be in C order.",
        .inputs = {{"a", "1 to 5 dimensions"}, {"b", "1 to 5 dimensions"}},
        .parameters = {},
        .dtypes = "float32, float64, complex64, complex128; the same for both inputs",
        .reads = Reads::anywhere,
        .example = "slab run matmul a.npy b.npy -o product.npy",
    };
    return description;
}

}  // namespace

Kernel matmul_kernel() {
    return {describe, plan_matmul, fill_matmul_scalar, fill_matmul_by_blocks, matmul_reads};
}

}  // namespace slab::kernels
