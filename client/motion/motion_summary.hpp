#pragma once

#include "client/motion/confounds.hpp"

#include <string>
#include <vector>

namespace slab {

// A few lines for the terminal: the extremes of the six numbers, how much and where the head moved, and which frames did
// not converge.
std::string motion_summary(const std::vector<FrameMotion>& motion,
                           const std::vector<FrameConfounds>& confounds);

}  // namespace slab
