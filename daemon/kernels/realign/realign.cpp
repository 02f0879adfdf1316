#include "daemon/kernels/realign/realign.hpp"

#include "daemon/kernels/realign/estimation.hpp"
#include "daemon/kernels/sampling/sampling.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

#include <cstring>

namespace slab::kernels {
namespace {

KernelDescription description() {
    KernelDescription realign{
        .name = "realign",
        .summary = "motion correction: bring each volume of a series to the reference by the rigid motion "
                   "found in it",
        .details = "Each frame is brought to the reference frame by Gauss-Newton steps on the sum of "
                   "weighted squared differences, with the reference's derivatives alone and an offset "
                   "and a factor of the intensity in each frame: as SPM's realign (Friston et al. 1995) "
                   "and AFNI's 3dvolreg (Cox 1999), by the inverse composition of Baker and Matthews "
                   "(2004): the normal equations are made once. First from coarse to fine, to the "
                   "reference frame, by the voxels that tell the most; then to the mean of all frames so "
                   "aligned. A soft mask of the head weights the voxels; only the derivatives that weight "
                   "are of the blurred image (2 voxels, full width at half maximum), the frames are not "
                   "blurred. Splines are cubic, with no curvature at their ends. In series of 16 frames "
                   "and more a slow change of intensity that differs from place to place (a gain of few "
                   "smooth patterns) is taken out of the equations: gain_fields.\n"
                   "The result tells, for each frame, motion: 12 numbers of the matrix that maps mm of "
                   "the frame to mm of the reference (rows of 3 x 4), the factor of the intensity, steps, "
                   "whether they converged (1 or 0), the noise left and DVARS, both in the image's unit, "
                   "and DVARS standardised by what noise alone would do (Nichols 2013). estimate_only: "
                   "the matrices (4 x 4 for each frame) are the output, which reslice takes as "
                   "transforms. Axes and resampling as of reslice. Frames must be whole in memory: NIfTI "
                   "files, x, y, z, t in Fortran order, or t, x, y, z with --batch first.",
        .inputs = {{"series", "4 dimensions, three of space"}},
        .parameters =
            {{"reference",
              ParameterType::image,
              "in whose space the result is: a frame, the mean of all, or an image of the same grid",
              "a frame's number",
              {"first", "middle", "last", "mean"},
              "first"},
             {"mask",
              ParameterType::image,
              "weights of the voxels for the estimate, 0 to 1, instead of the soft mask of the head",
              "",
              {},
              ""},
             {"smooth",
              ParameterType::real,
              "mm, full width at half maximum: smooth what the estimate sees, not the result",
              ">= 0",
              {},
              "0"},
             {"quality",
              ParameterType::real,
              "the share of the image's information that is used; less is faster",
              "> 0, <= 1",
              {},
              "0.995"},
             {"two_pass",
              ParameterType::choice,
              "estimate again, to the mean of the aligned frames; off: to the reference",
              "",
              {"on", "off"},
              "on"},
             {"batch", ParameterType::choice, "where the frames' axis is", "", {"first", "last"}, "last"},
             {"voxel_size",
              ParameterType::real_per_axis,
              "in mm, of the axes of space; default 1",
              "> 0",
              {},
              ""},
             {"affine", ParameterType::table, "voxels to mm, instead of voxel_size: 4 x 4", "", {}, ""},
             {"gain_fields",
              ParameterType::choice,
              "take a slow change of intensity out",
              "",
              {"on", "off"},
              "on"},
             {"estimate_only", ParameterType::flag, "the output is the motion, not the series", "", {}, ""},
             {"order",
              ParameterType::choice,
              "of the spline that resamples",
              "",
              {"0", "1", "2", "3", "4", "5", "nearest", "linear", "cubic", "quintic"},
              "cubic"},
             {"mask_outside", ParameterType::flag, "what any frame lacks is cval in all", "", {}, ""}},
        .dtypes = "all but complex",
        .reads = Reads::anywhere,
        .example = "slab run realign func.nii.gz -o moco.nii.gz",
    };
    for (ParameterDescription& parameter : spline_parameters()) {
        if (parameter.name != "prefilter") {
            realign.parameters.push_back(std::move(parameter));
        }
    }
    return realign;
}

const KernelDescription& describe() {
    static const KernelDescription realign = description();
    return realign;
}

void copy_matrices(const RealignProgram& program, const TileCall& call) {
    const auto* const rows =
        reinterpret_cast<const double*>(call.workspaces[static_cast<std::size_t>(RealignPhase::motion)].data);
    auto* const to = reinterpret_cast<double*>(call.target.data);
    const Box& tile = call.tile;
    const auto& extents = call.target.shape.extents;
    for (std::int64_t i = tile.begin[0]; i < tile.end[0]; ++i) {
        for (std::int64_t row = tile.begin[1]; row < tile.end[1]; ++row) {
            for (std::int64_t j = tile.begin[2]; j < tile.end[2]; ++j) {
                const std::int64_t frame = program.is_output_reversed ? j : i;
                const std::int64_t column = program.is_output_reversed ? i : j;
                to[(i * extents[1] + row) * extents[2] + j] =
                    row == 3 ? (column == 3 ? 1.0 : 0.0) : rows[frame * motion_columns + row * 4 + column];
            }
        }
    }
}

// What resamples sees the series and its own phases alone (its filters count inputs and phases in one), and the table that
// the phase before made.
template <class Fill>
void fill_realign(const TileCall& call, const Fill& fill_sampling) {
    const auto program = call.program->as<RealignProgram>();
    const std::size_t own_phases = program.is_estimate_only ? realign_phases - 1 : realign_phases;
    if (call.phase < own_phases) {
        realign::fill_estimation(static_cast<RealignPhase>(call.phase), program, call);
        return;
    }
    if (program.is_estimate_only) {
        copy_matrices(program, call);
        return;
    }
    const ConstArrayView& table = call.workspaces[static_cast<std::size_t>(RealignPhase::pull_backs)];
    const Program sampling(program.sampling);
    TileCall own = call;
    own.program = &sampling;
    own.inputs = call.inputs.first(1);
    own.phase = call.phase - realign_phases;
    own.workspaces = call.workspaces.subspan(realign_phases);
    own.table = {table.data, static_cast<std::size_t>(table.shape[0])};
    fill_sampling(own);
}

void fill_scalar(const TileCall& call) noexcept {
    fill_realign(call, fill_sampling_scalar);
}
void fill(const TileCall& call) noexcept {
    fill_realign(call, fill_sampling_simd);
}

}  // namespace

Kernel realign_kernel() {
    return {describe, plan_realign, fill_scalar, fill, nullptr};
}

}  // namespace slab::kernels
