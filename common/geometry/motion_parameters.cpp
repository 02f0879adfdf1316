#include "common/geometry/motion_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace slab {
namespace {

// The angles of turn_back(axes[0], .) * turn_back(axes[1], .) * turn_back(axes[2], .). With the axes in another cyclic
// order space is mirrored, and angles change their signs.
std::array<double, 3> angles_of(const AffineMatrix& rotation, const std::array<std::size_t, 3>& axes) {
    const auto at = [&](std::size_t row, std::size_t column) {
        return rotation.rows[axes[row]][axes[column]];
    };
    const double sign = (axes[0] + 1) % 3 == axes[1] ? 1.0 : -1.0;
    const double first = std::atan2(at(1, 2), at(2, 2));
    const double second = std::atan2(-at(0, 2), std::hypot(at(1, 2), at(2, 2)));
    // The second row without the first turn: [-sin, cos, 0] of the third angle, a quarter turn of the second or not.
    const double c = std::cos(first);
    const double s = std::sin(first);
    const double third = std::atan2(s * at(2, 0) - c * at(1, 0), c * at(1, 1) - s * at(2, 1));
    return {sign * first, sign * second, sign * third};
}

// Of T in T * about(centre, rotation) = matrix.
Point shift_of(const AffineMatrix& matrix, const AffineMatrix& rotation, const Point& centre) {
    const AffineMatrix turned = about(centre, rotation);
    Point by{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        by[axis] = matrix.rows[axis][3] - turned.rows[axis][3];
    }
    return by;
}

}  // namespace

// Newton's iteration for the polar decomposition: the mean of a matrix and its inverse transposed (Higham 1986). What is
// rigid but for 1e-4 is so to rounding after three.
AffineMatrix nearest_rotation(const AffineMatrix& matrix) {
    AffineMatrix rotation = matrix;
    for (auto& row : rotation.rows) {
        row[3] = 0.0;
    }
    for (int round = 0; round < 4; ++round) {
        const AffineMatrix back = inverse(rotation);
        for (std::size_t row = 0; row < 3; ++row) {
            for (std::size_t column = 0; column < 3; ++column) {
                rotation.rows[row][column] = (rotation.rows[row][column] + back.rows[column][row]) / 2.0;
            }
        }
    }
    return rotation;
}

MotionRow motion_parameters(MotionConvention convention, const AffineMatrix& matrix, const Point& centre) {
    switch (convention) {
    case MotionConvention::spm: {
        const auto [pitch, roll, yaw] = angles_of(nearest_rotation(matrix), {0, 1, 2});
        return {matrix.rows[0][3], matrix.rows[1][3], matrix.rows[2][3], pitch, -roll, yaw};
    }
    case MotionConvention::fsl: {
        const AffineMatrix rotation = nearest_rotation(matrix);
        const auto [x, y, z] = angles_of(rotation, {0, 1, 2});
        const Point by = shift_of(matrix, rotation, centre);
        return {x, y, z, by[0], by[1], by[2]};
    }
    case MotionConvention::afni: break;
    }
    constexpr double degrees = 180.0 / std::numbers::pi;
    const AffineMatrix flip = diagonal({-1.0, -1.0, 1.0});
    const AffineMatrix flipped = flip * matrix * flip;
    const AffineMatrix rotation = nearest_rotation(flipped);
    const auto [yaw, pitch, roll] = angles_of(rotation, {1, 0, 2});
    const Point by = shift_of(flipped, rotation, {-centre[0], -centre[1], centre[2]});
    return {-degrees * roll, -degrees * pitch, -degrees * yaw, by[2], by[0], by[1]};
}

double strain(const AffineMatrix& matrix) {
    double largest = 0.0;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 3; ++column) {
            double product = row == column ? -1.0 : 0.0;
            for (std::size_t i = 0; i < 3; ++i) {
                product += matrix.rows[i][row] * matrix.rows[i][column];
            }
            largest = std::max(largest, std::abs(product));
        }
    }
    return largest;
}

}  // namespace slab
