#pragma once

#include "client/motion/confounds.hpp"
#include "client/motion/series_statistics.hpp"

#include <string>
#include <vector>

namespace slab {

// A few lines for the terminal: the extremes of the six numbers, how much and where the head moved, which frames did
// not converge, and what became of the deviation over time.
std::string motion_summary(const std::vector<FrameMotion>& motion,
                           const std::vector<FrameConfounds>& confounds,
                           const SeriesDeviation& deviation = {});

}  // namespace slab
