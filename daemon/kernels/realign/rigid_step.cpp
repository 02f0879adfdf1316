#include "daemon/kernels/realign/rigid_step.hpp"

#include "daemon/kernels/realign/volume_grid.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {

AffineMatrix exponential(const RigidStep& step) {
    const double x = step[3];
    const double y = step[4];
    const double z = step[5];
    const double angle = std::hypot(x, y, z);
    // sin(a) / a and (1 - cos(a)) / a^2
    const double first = angle < 1e-12 ? 1.0 : std::sin(angle) / angle;
    const double half = std::sin(0.5 * angle);
    const double second = angle < 1e-12 ? 0.5 : 2.0 * half * half / (angle * angle);
    AffineMatrix matrix;
    matrix.rows[0] = {1.0 - second * (y * y + z * z), second * x * y - first * z, second * x * z + first * y,
                      step[0]};
    matrix.rows[1] = {second * x * y + first * z, 1.0 - second * (x * x + z * z), second * y * z - first * x,
                      step[1]};
    matrix.rows[2] = {second * x * z - first * y, second * y * z + first * x, 1.0 - second * (x * x + y * y),
                      step[2]};
    return matrix;
}

AffineMatrix updated(const AffineMatrix& motion, const RigidStep& step, const Point& centre) {
    return motion * about(centre, inverse(exponential(step)));
}

double longest_move(const RigidStep& step, std::span<const Point> points) {
    return longest_move(exponential(step), points);
}

double longest_move(const AffineMatrix& motion, std::span<const Point> points) {
    double longest = 0.0;
    for (const Point& point : points) {
        const Point moved = applied(motion, point);
        const double move = std::hypot(moved[0] - point[0], moved[1] - point[1], moved[2] - point[2]);
        longest = move <= longest ? longest : move;
    }
    return longest;
}

}  // namespace slab::kernels::realign
