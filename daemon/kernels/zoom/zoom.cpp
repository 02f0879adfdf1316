#include "daemon/kernels/zoom/zoom.hpp"

#include "daemon/kernels/zoom/spline_zoom.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

namespace slab::kernels {
namespace {

const KernelDescription& describe() {
    static const KernelDescription description{
        .name = "zoom",
        .summary = "enlarge or shrink an array (splines of order 0 to 5)",
        .details =
            "The output has int(round(n * factor)) elements along each axis (half to even), or the shape "
            "that is given. Output index k lies at the input coordinate\n"
            "  scipy       k * (n_in-1)/(n_out-1): scipy.ndimage.zoom, corners aligned\n"
            "  scipy-grid  (k+0.5) * n_in/n_out - 0.5: scipy.ndimage.zoom(grid_mode=True), voxels as "
            "areas\n"
            "  round       round(k / factor), half to even, at most n_in-1: the usual loop written by "
            "hand\n"
            "  floor       floor(k * n_in / n_out), exactly: OpenCV's and torch's nearest\n"
            "Order 0 takes the nearest element, floor(coordinate + 0.5): elements are moved, never "
            "computed with, NaNs and all bits are kept. round and floor are of order 0.\n"
            "Orders 1 to 5 are B-splines as in scipy.ndimage (Unser 1993), with its seven modes beyond "
            "the ends; orders 2 to 5 first turn the samples into coefficients (Unser 1999; prefilter=off "
            "leaves that out). Axes whose size stays are left alone. float32 and complex64 are computed "
            "in float32 up to order 3, all else in double. Integers are rounded half away from zero and "
            "clamped, a NaN becomes 0. A neighbour of weight 0 does not count, so order 1 shows a NaN "
            "only where it takes part; from order 2 on it spreads. scipy's fault of writing cval at a "
            "last index that rounding puts beyond the array is not repeated, nor that its prefilter for "
            "reflect is inexact on axes of few elements.\n"
            "antialias first smooths the axes that shrink with a Gaussian of sigma (n_in/n_out - 1)/2, "
            "cut off at 4 sigma, as scikit-image's resize; any order and convention may follow.\n"
            "The result does not depend on how the work is divided.",
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
              "of the spline: 0 is nearest neighbour, 1 linear, 3 cubic. Without it 3, as scipy; with round "
              "and floor 0",
              "0 to 5",
              {},
              ""},
             {"mode", ParameterType::choice, "what lies beyond the ends of an axis", "", boundary_names(),
              "constant"},
             {"cval",
              ParameterType::real,
              "the value beyond, with mode constant or grid-constant",
              "",
              {},
              "0"},
             {"prefilter",
              ParameterType::choice,
              "orders 2 to 5: off if the input holds spline coefficients already",
              "",
              {"on", "off"},
              "on"},
             {"antialias",
              ParameterType::flag,
              "smooth the axes that shrink with a Gaussian first",
              "",
              {},
              ""},
             {"precision", ParameterType::choice,
              "in which type to compute: auto is float32 for float32 and complex64 up to order 3, else "
              "double",
              "", precision_names(), "auto"}},
        .dtypes = "all",
        .reads = Reads::anywhere,
        .example = "slab run zoom volume.npy -o larger.npy --factor 2 --order 1",
    };
    return description;
}

AxisRange band_reads(const BandQuery& query) {
    if (is_spline_zoom(query.plan->program)) {
        return spline_zoom_band_reads(query);
    }
    const Shape& input = query.inputs[0];
    if (query.source_axis != query.output_axis) {
        return {0, input[query.source_axis]};
    }
    const int axis = query.output_axis;
    const ZoomAxis zoom =
        zoom_axis(query.plan->program.as<ZoomProgram>(), axis, input[axis], query.plan->output.shape[axis]);
    return source_range(zoom, query.rows);
}

void fill_scalar(const TileCall& call) noexcept {
    (is_spline_zoom(*call.program) ? fill_spline_zoom_scalar : fill_zoom_scalar)(call);
}

void fill(const TileCall& call) noexcept {
    (is_spline_zoom(*call.program) ? fill_spline_zoom_simd : fill_zoom_simd)(call);
}

}  // namespace

Kernel zoom_kernel() {
    return {describe, plan_zoom, fill_scalar, fill, band_reads};
}

}  // namespace slab::kernels
