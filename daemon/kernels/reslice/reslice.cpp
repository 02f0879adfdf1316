#include "daemon/kernels/reslice/reslice.hpp"

#include "common/geometry/rigid_motion.hpp"
#include "daemon/kernels/sampling/sampling.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

namespace slab::kernels {
namespace {

KernelDescription description() {
    KernelDescription reslice{
        .name = "reslice",
        .summary = "bring each volume of a series to the reference's grid by its rigid or affine transform",
        .details =
            "A transform R maps mm of the frame to mm of the reference. Output voxel v shows the frame "
            "at\n"
            "  A^-1 * R^-1 * A * v\n"
            "where A maps voxels to mm: affine, or the voxel sizes alone; inverted once for each frame. "
            "Voxels are numbered in the file's own order, as numpy and nibabel show it: the world's x "
            "goes with the first axis of space unless affine says otherwise (for an array of t, z, y, x "
            "give an affine whose columns are z, y, x). The world is NIfTI's: x to the right, y to the "
            "front, z up.\n"
            "transforms has a matrix for each frame (16 or 12 numbers in a row, or four rows of 4), or "
            "six numbers of a convention:\n"
            "  spm   x y z (mm) pitch roll yaw (rad), about the world's origin: rp_*.txt. Needs affine "
            "unless the origin is voxel 0\n"
            "  fsl   rx ry rz (rad) x y z (mm), about centre, in FSL's scaled mm: mcflirt's .par\n"
            "  afni  roll pitch yaw (degrees) dS dL dP (mm), about the volume's middle: 3dvolreg's "
            "-1Dfile\n"
            "With two batch axes there is a transform for each pair, or one for each index of the first. "
            "mask_outside: a voxel whose coordinate lies outside the samples in any frame is cval in all "
            "(SPM's rule, without its tolerance of 0.05 voxels). Values as of affine. Frames that come "
            "first in memory (t, x, y, z in C order; x, y, z, t in Fortran order, as NIfTI files are) "
            "stream one by one; otherwise the input must fit.",
        .inputs = {{"series", "3 to 5 dimensions, three of space"}},
        .parameters =
            {{"transforms", ParameterType::table, "a row or a matrix for each frame", "", {}, ""},
             {"convention", ParameterType::choice, "whose six numbers the rows are", "",
              motion_convention_names(), ""},
             {"batch", ParameterType::choice, "where the frames' axes are", "", {"first", "last"}, "last"},
             {"voxel_size",
              ParameterType::real_per_axis,
              "in mm, of the axes of space; default 1",
              "> 0",
              {},
              ""},
             {"affine",
              ParameterType::table,
              "voxels to mm, instead of voxel_size: 4 x 4. Default: what a NIfTI input says",
              "",
              {},
              ""},
             {"centre",
              ParameterType::real_per_axis,
              "of rotation, in mm, x,y,z: fsl needs it; afni: default the volume's middle",
              "",
              {},
              ""},
             {"order",
              ParameterType::choice,
              "of the spline",
              "",
              {"0", "1", "2", "3", "4", "5", "nearest", "linear", "cubic", "quintic"},
              "cubic"},
             {"mask_outside", ParameterType::flag, "what any frame lacks is cval in all", "", {}, ""}},
        .dtypes = "all",
        .reads = Reads::anywhere,
        .example = "slab run reslice series.npy -o aligned.npy --transforms rp_series.txt --convention spm "
                   "--affine affine.txt",
    };
    for (ParameterDescription& parameter : spline_parameters()) {
        reslice.parameters.push_back(std::move(parameter));
    }
    return reslice;
}

const KernelDescription& describe() {
    static const KernelDescription reslice = description();
    return reslice;
}

}  // namespace

Kernel reslice_kernel() {
    return {describe, plan_reslice, fill_sampling_scalar, fill_sampling_simd, sampling_band_reads};
}

}  // namespace slab::kernels
