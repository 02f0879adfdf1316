#include "client/motion/confounds_file.hpp"

#include "common/protocol/json_text.hpp"

#include <fmt/format.h>

namespace slab {
namespace {

std::string cell(const std::optional<double>& value) {
    return value ? fmt::format("{}", *value + 0.0) : "n/a";  // + 0: no minus before a zero
}

Json column(std::string_view description, std::string_view units) {
    return {{"Description", description}, {"Units", units}};
}

}  // namespace

std::string confounds_tsv(const std::vector<FrameConfounds>& confounds) {
    std::string text =
        "trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\tframewise_displacement\trmsd\tdvars\tstd_dvars\n";
    for (const FrameConfounds& frame : confounds) {
        for (const double number : frame.motion) {
            text += cell(number) + '\t';
        }
        text += fmt::format("{}\t{}\t{}\t{}\n", cell(frame.framewise_displacement), cell(frame.rmsd),
                            cell(frame.dvars), cell(frame.std_dvars));
    }
    return text;
}

std::string confounds_json(const ConfoundsFacts& facts) {
    Json json;
    const std::array<std::string_view, 3> axes{"x (to the right)", "y (to the front)", "z (up)"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        json[fmt::format("trans_{}", "xyz"[axis])] = column(
            fmt::format("Translation along {} that brings the frame to the reference", axes[axis]), "mm");
    }
    for (std::size_t axis = 0; axis < 3; ++axis) {
        json[fmt::format("rot_{}", "xyz"[axis])] = column(
            fmt::format("Rotation about {}, with SPM's order and signs, about VolumeCentre", axes[axis]),
            "rad");
    }
    json["framewise_displacement"] =
        column("Sum of the changes of the six numbers since the frame before, rotations on a sphere of 50 mm "
               "(Power et al. 2012)",
               "mm");
    json["rmsd"] = column("Root mean square deviation since the frame before, in a sphere of 80 mm about "
                          "VolumeCentre (Jenkinson et al. 2002)",
                          "mm");
    json["dvars"] = column(
        "Root of the mean square of the change since the frame before, of the aligned frames", "arbitrary");
    json["std_dvars"] = column(
        "DVARS over what it would be by noise alone: the mean over voxels of sqrt(2 (1 - r)) s, with s of "
        "the interquartile range over time and r the correlation with the frame before (Nichols 2013)",
        "1");
    json["VolumeCentre"] = facts.centre;
    if (facts.fsl_centre) {
        json["FSLCentre"] = *facts.fsl_centre;
    }
    json["FramesNotConverged"] = facts.not_converged;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace slab
