#pragma once

#include "client/motion/confounds.hpp"
#include "client/motion/picture.hpp"
#include "client/motion/series_statistics.hpp"

#include <vector>

namespace slab {

// One page: translations, rotations, framewise displacement and DVARS over the frames; behind frames that did not
// converge a stripe; below them what is known of the middle slice's deviation over time, both on one scale.
Picture motion_plot(const std::vector<FrameMotion>& motion, const std::vector<FrameConfounds>& confounds,
                    const SeriesDeviation& deviation = {});

// The first number that an axis is marked at, and by how much it goes on: 1, 2 or 5 times a power of ten, so that there
// are at most so many marks from low to high.
struct AxisMarks {
    double first = 0;
    double step = 1;
};
AxisMarks axis_marks(double low, double high, int most);

}  // namespace slab
