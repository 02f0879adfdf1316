#include "client/motion/confounds.hpp"

#include "common/geometry/motion_parameters.hpp"

#include <cmath>

namespace slab {

double root_mean_square_deviation(const AffineMatrix& first, const AffineMatrix& second,
                                  const Point& centre) {
    AffineMatrix change = second * inverse(first);
    double turned = 0.0;
    double moved = 0.0;
    for (std::size_t row = 0; row < 3; ++row) {
        change.rows[row][row] -= 1.0;
        double at_centre = change.rows[row][3];
        for (std::size_t column = 0; column < 3; ++column) {
            turned += change.rows[row][column] * change.rows[row][column];
            at_centre += change.rows[row][column] * centre[column];
        }
        moved += at_centre * at_centre;
    }
    return std::sqrt(rmsd_radius_mm * rmsd_radius_mm / 5.0 * turned + moved);
}

std::vector<FrameConfounds> confounds_of(const std::vector<FrameMotion>& motion, const Point& centre) {
    std::vector<FrameConfounds> confounds;
    const Point to_origin{-centre[0], -centre[1], -centre[2]};
    for (std::size_t frame = 0; frame < motion.size(); ++frame) {
        FrameConfounds row;
        row.motion =
            motion_parameters(MotionConvention::spm, about(to_origin, motion[frame].to_reference), {0, 0, 0});
        if (frame > 0) {
            double displacement = 0.0;
            for (std::size_t i = 0; i < 6; ++i) {
                const double change = std::abs(row.motion[i] - confounds.back().motion[i]);
                displacement += i < 3 ? change : framewise_displacement_radius_mm * change;
            }
            row.framewise_displacement = displacement;
            row.rmsd = root_mean_square_deviation(motion[frame - 1].to_reference, motion[frame].to_reference,
                                                  centre);
            row.dvars = motion[frame].dvars;
            row.std_dvars = motion[frame].std_dvars;
        }
        confounds.push_back(row);
    }
    return confounds;
}

}  // namespace slab
