#pragma once

#include "client/motion/frame_motion.hpp"

#include <array>
#include <optional>
#include <vector>

namespace slab {

// What a regression or a look at the quality takes of a frame's motion.
struct FrameConfounds {
    // SPM's numbers, about the volume's centre in place of the world's origin: x y z in mm, and radians about x, y, z.
    // Far from the origin SPM's own translations are mostly rotation.
    std::array<double, 6> motion{};
    // Absent: of the first frame, which has none before it.
    std::optional<double> framewise_displacement;  // mm
    std::optional<double> rmsd;                    // mm
    std::optional<double> dvars;                   // in the image's unit
    std::optional<double> std_dvars;               // against what noise alone would do (Nichols 2013)
};

// Framewise displacement: the sum of the changes of the six numbers since the frame before, rotations as arcs on a sphere
// of 50 mm (Power et al. 2012, NeuroImage 59:2142).
inline constexpr double framewise_displacement_radius_mm = 50.0;

// How far the points of a sphere of 80 mm about the centre moved since the frame before, root of the mean square: with
// the motion since then, less the identity, as [A t], sqrt(R^2 / 5 trace(A' A) + |t + A c|^2) (Jenkinson 1999, FMRIB
// technical report TR99MJ1; Jenkinson et al. 2002, NeuroImage 17:825).
inline constexpr double rmsd_radius_mm = 80.0;
double root_mean_square_deviation(const AffineMatrix& first, const AffineMatrix& second, const Point& centre);

std::vector<FrameConfounds> confounds_of(const std::vector<FrameMotion>& motion, const Point& centre);

}  // namespace slab
