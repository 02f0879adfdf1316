#include "daemon/kernels/zoom/zoom.hpp"

#include "daemon/kernels/zoom/zoom_coordinates.hpp"

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "zoom",
        .summary = "enlarge or shrink an array (nearest neighbour)",
        .details =
            "The output has int(round(n * factor)) elements along each axis (half to even), or the shape "
            "that is given. Output index k shows input index\n"
            "  scipy       floor(k * (n_in-1)/(n_out-1) + 0.5): scipy.ndimage.zoom, corners aligned\n"
            "  scipy-grid  floor((k+0.5) * n_in/n_out): scipy.ndimage.zoom(grid_mode=True), voxels as areas\n"
            "  round       round(k / factor), half to even, at most n_in-1: the usual loop written by hand\n"
            "  floor       floor(k * n_in / n_out), exactly: OpenCV's and torch's nearest\n"
            "Elements are moved, never computed with: NaNs and all bits are kept. The result does not depend "
            "on how the work is divided.",
        .inputs = {{"input", "1 to 5 dimensions"}},
        .parameters =
            {{"factor",
              ParameterType::real_per_axis,
              "output size / input size, for all axes or for each",
              "> 0",
              {},
              ""},
             {"shape",
              ParameterType::integer_per_axis,
              "the output's shape, instead of factor",
              ">= 1",
              {},
              ""},
             {"convention",
              ParameterType::choice,
              "which input element an output element shows",
              "",
              {"scipy", "scipy-grid", "round", "floor"},
              "scipy"},
             {"order",
              ParameterType::integer,
              "of the interpolation: 0 is nearest neighbour. Must be given with scipy and scipy-grid",
              "0",
              {},
              ""}},
        .dtypes = "all",
        .reads = Reads::anywhere,
        .example = "slab run zoom volume.npy -o larger.npy --factor 2 --order 0",
    };
    return description;
}

AxisRange band_reads(const BandQuery& query) {
    const Shape& input = query.inputs[0];
    if (query.source_axis != query.output_axis) {
        return {0, input[query.source_axis]};
    }
    const int axis = query.output_axis;
    const ZoomAxis zoom =
        zoom_axis(query.plan->program.as<ZoomProgram>(), axis, input[axis], query.plan->output.shape[axis]);
    return source_range(zoom, query.rows);
}

}  // namespace

Kernel zoom_kernel() {
    return {describe, plan_zoom, fill_zoom_scalar, fill_zoom_simd, band_reads};
}

}  // namespace slab::kernels
