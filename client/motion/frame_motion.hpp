#pragma once

#include "common/errors/error.hpp"
#include "common/geometry/affine_matrix.hpp"
#include "common/geometry/grid_space.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace slab {

// The table of this name in a job's result: a row for each frame.
inline constexpr const char* motion_table_name = "motion";

// A row of it.
struct FrameMotion {
    AffineMatrix to_reference;  // from mm of the frame to mm of the reference
    double scale = 1.0;         // of its intensity to the reference's
    std::int64_t steps = 0;
    bool has_converged = true;
    double noise = 0.0;
    double dvars = 0.0;  // 0 of the first frame, which has none before it
    double std_dvars = 0.0;
};

// JobStatus::result of a job that tells the table. An error of kind failed: it is not there, or no such table.
Expected<std::vector<FrameMotion>> motion_in(const std::string& result);

// Counted from 0.
std::vector<std::size_t> frames_not_converged(const std::vector<FrameMotion>& motion);

// The grid of the frames, its axes as the user counts them.
struct MotionGrid {
    AffineMatrix to_mm;
    std::array<std::int64_t, 3> extents{};
    Handedness handedness = Handedness::unknown;
};

inline Point centre_of(const MotionGrid& grid) {
    return middle_of(grid.to_mm, grid.extents);
}

}  // namespace slab
