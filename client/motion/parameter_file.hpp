#pragma once

#include "client/motion/frame_motion.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace slab {

// How other packages write a series' motion.
enum class ParameterFile : std::uint8_t {
    spm,     // rp_*.txt
    fsl,     // mcflirt's .par, about the volume's middle: fsl_centre()
    afni,    // 3dvolreg's -1Dfile
    itk,     // an Insight Transform File with a transform for each frame, as fMRIPrep has it
    matrix,  // 16 numbers for each frame, the rows of the map from its mm to the reference's
};

// "spm,fsl". An error of kind usage for another name.
Expected<std::vector<ParameterFile>> parameter_files_named(std::string_view list);

// What stands behind the prefix: "_spm.txt".
std::string_view ending_of(ParameterFile file);

// Whether six numbers can say it in this grid: FSL's are in mm of the voxels' axes, which a sheared grid has bent.
// An error of kind usage.
Expected<void> check_parameters(ParameterFile file, const MotionGrid& grid);

// The point that FSL's turns are about: the volume's middle, in FSL's scaled mm.
Point fsl_centre(const MotionGrid& grid);

// A line for each frame; numbers read back to the very same.
std::string parameter_text(ParameterFile file, const std::vector<FrameMotion>& motion,
                           const MotionGrid& grid);

}  // namespace slab
