#include "daemon/kernels/outer/outer.hpp"

#include <fmt/format.h>

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "outer",
        .summary = "outer product of two vectors: r[i, j] = y[i] * x[j]",
        .details =
            "r[i, j] = y[i] * x[j], as numpy.outer. Both vectors have one dtype, and so has the result: "
            "integers wrap around, bool is a logical and, complex is (ar*br - ai*bi, ar*bi + ai*br) "
            "without fused multiply-add, and a NaN is always numpy.nan's bits.",
        .inputs = {{"y", "1-D"}, {"x", "1-D"}},
        .parameters = {},
        .dtypes = "all, the same for both inputs",
        .reads = Reads::anywhere,
        .example = "slab run outer y.npy x.npy -o product.npy",
    };
    return description;
}

Expected<KernelPlan> plan(const PlanRequest& request) {
    if (request.inputs.size() != 2) {
        return std::unexpected(Error{ErrorKind::usage, "outer takes two inputs, y and x",
                                     fmt::format("{} given", request.inputs.size()),
                                     "Give the vector of the rows, then the vector of the columns."});
    }
    const ArrayDescription& y = request.inputs[0];
    const ArrayDescription& x = request.inputs[1];
    for (const auto& [name, array] : {std::pair{"y", &y}, std::pair{"x", &x}}) {
        if (array->shape.rank != 1) {
            return std::unexpected(
                Error{ErrorKind::usage, fmt::format("outer takes vectors; {} is not one", name),
                      fmt::format("{} has {} dimensions, of shape {}", name, array->shape.rank,
                                  to_text(array->shape)),
                      fmt::format("Save {} flattened to one dimension (in numpy: a.ravel()).", name)});
        }
    }
    if (y.dtype != x.dtype) {
        return std::unexpected(Error{ErrorKind::usage, "outer takes two vectors of the same dtype",
                                     fmt::format("y is {}, x is {}", name_of(y.dtype), name_of(x.dtype)),
                                     fmt::format("Convert one of them first, for example x to {} (in numpy: "
                                                 "x.astype(\"{}\")).",
                                                 name_of(y.dtype), name_of(y.dtype))});
    }

    KernelPlan result;
    result.output = {y.dtype, {y.shape[0], x.shape[0]}, MemoryOrder::c};
    if (!checked_byte_count(result.output)) {
        return std::unexpected(Error{
            ErrorKind::usage, "the output's size does not fit in 63 bits",
            fmt::format("it would have the shape {} of {}", to_text(result.output.shape), name_of(y.dtype)),
            "Give shorter vectors."});
    }
    // Pieces of a row of at least 4 KiB, so that few lines of memory are shared between tiles.
    const auto element_bytes = static_cast<std::int64_t>(size_of(y.dtype));
    result.tiles.brick[1] = std::min(x.shape[0], 4096 / element_bytes);
    result.grid.change = OutputGrid::Change::lost;
    return result;
}

// The band's rows need their y and all of x; where there is one row only, bands go along the columns.
AxisRange band_reads(const BandQuery& query) {
    const bool is_along_bands = static_cast<int>(query.source) == query.output_axis;
    return is_along_bands ? query.rows : AxisRange{0, query.inputs[query.source][0]};
}

}  // namespace

Kernel outer_kernel() {
    return {describe, plan, fill_outer_scalar, fill_outer_simd, band_reads};
}

}  // namespace slab::kernels
